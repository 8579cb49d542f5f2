"""The child's HTTP face, OpenAI-compatible: GET /health, GET /v1/models, POST /v1/chat/completions.

It is there for its parent alone: loopback, a bearer token that only parent and child know, no
browser headers.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec

from .action import Action
from .asgi import (
    BodyTooLarge,
    Disconnected,
    Receive,
    Scope,
    Send,
    read_body,
    send_json,
    while_connected,
)
from .chat import Chat, send_failed
from .generation import Failed
from .request import ChatRequest, read_request


class ModelCard(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of the model list. `kind`: "language model" or "program"."""

    id: str
    kind: str
    description: str
    object: str = "model"
    created: int = 0
    owned_by: str = "emafusion-local"


class ModelList(msgspec.Struct, frozen=True, kw_only=True):
    """The body of GET /v1/models."""

    data: list[ModelCard]
    object: str = "list"


class Face:
    """The ASGI application over a set of actions.

    `api_key`: the bearer token every request but /health must carry. `default_max_tokens`: bound
    of an answer for which the client named none.
    """

    def __init__(
        self, *, actions: Sequence[Action], api_key: str, default_max_tokens: int = 512
    ) -> None:
        self._actions = {action.name: action for action in actions}
        self._api_key = api_key.encode()
        self._default_max_tokens = default_max_tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        try:
            await self._serve(scope, receive, send)
        except BodyTooLarge:
            await send_failed(
                send, Failed(status=413, code="body_too_large", message="the body is over 8 MiB")
            )
        except Disconnected:
            return

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        method, path = scope["method"], scope["path"]
        if (method, path) == ("GET", "/health"):
            await send_json(send, 200, b'{"status":"ok"}')
        elif not self._authorised(scope):
            await send_failed(
                send,
                Failed(
                    status=401, code="invalid_api_key", message="a valid bearer token is required"
                ),
            )
        elif (method, path) == ("GET", "/v1/models"):
            await send_json(send, 200, msgspec.json.encode(self._models()))
        elif (method, path) == ("POST", "/v1/chat/completions"):
            await self._chat(receive, send)
        else:
            await send_failed(send, _no_route(method, path))

    def _authorised(self, scope: Scope) -> bool:
        given = dict(scope["headers"]).get(b"authorization", b"")
        return hmac.compare_digest(given, b"Bearer " + self._api_key)

    def _models(self) -> ModelList:
        cards = [
            ModelCard(id=a.name, kind=a.kind, description=a.description)
            for a in self._actions.values()
        ]
        return ModelList(data=cards)

    async def _chat(self, receive: Receive, send: Send) -> None:
        request = read_request(
            await read_body(receive), default_max_tokens=self._default_max_tokens
        )
        if isinstance(request, Failed):
            await send_failed(send, request)
            return
        action = self._actions.get(request.model)
        if action is None:
            await send_failed(send, self._no_model(request))
            return
        await while_connected(receive, Chat(request=request, action=action, send=send).answer())

    def _no_model(self, request: ChatRequest) -> Failed:
        names = ", ".join(self._actions)
        message = f"The model {request.model[:100]!r} does not exist; there are: {names}"
        return Failed(status=404, code="model_not_found", message=message, param="model")


def _no_route(method: str, path: str) -> Failed:
    known = {"/health": "GET", "/v1/models": "GET", "/v1/chat/completions": "POST"}
    if path in known:
        return Failed(
            status=405,
            code="method_not_allowed",
            message=f"{method} is not allowed here; use {known[path]}",
        )
    return Failed(
        status=404, code="not_found", message=f"unknown path; there are: {', '.join(known)}"
    )
