"""The ASGI app: from a path to what answers it, and every error in the API's shape."""

from __future__ import annotations

import asyncio
import logging
import math
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import cast

from msgspec.structs import replace

from emafusion.domain.errors import BadInput, EmafusionError, Failure
from emafusion.gateway.asking import SESSION_HEADERS
from emafusion.gateway.chat import chat
from emafusion.gateway.dry_run import dry_run
from emafusion.gateway.http import Gone, Message, Receive, Request, Response, Send, respond
from emafusion.gateway.keys import Keys
from emafusion.gateway.listing import health, list_models, one_model, ready
from emafusion.gateway.service import Service
from emafusion.wire.openai import encode_error

Handler = Callable[[Request, Send, Service], Awaitable[None]]
_log = logging.getLogger("emafusion")


class NotFound(BadInput):
    """No such path."""

    status = 404
    code = "not_found"


class WrongMethod(BadInput):
    """The path is there, the method is not."""

    status = 405
    code = "method_not_allowed"

    def __init__(self, path: str, allowed: tuple[str, ...]) -> None:
        super().__init__(f"{path[:80]} takes {', '.join(allowed)}")
        self.allowed = allowed


class Busy(BadInput):
    """As many requests as this gateway takes at once are under way."""

    status = 429
    code = "too_many_requests"


ROUTES: dict[str, dict[str, Handler]] = {
    "/chat/completions": {"POST": chat},
    "/route": {"POST": dry_run},
    "/models": {"GET": list_models},
    "/models/*": {"GET": one_model},
    "/health": {"GET": health},
    "/ready": {"GET": ready},
}
"""Path below `/v1` (which may be missing or doubled: half of all set-up trouble) -> handlers."""

READ = ("x-emafusion-", "x-api-key", "authorization", "content-encoding", *SESSION_HEADERS)
"""Headers that the gateway itself reads, by how they begin."""

OPEN = frozenset({"/health", "/ready"})
"""Paths that need no key."""


@dataclass(slots=True, kw_only=True, eq=False)
class App:
    """The gateway as an ASGI app. `max_concurrent`: requests answered at once."""

    service: Service
    keys: Keys = field(default_factory=Keys)
    max_concurrent: int = 1000
    _under_way: int = field(default=0, init=False)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer one request (or the server's start and stop)."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)

    async def finished(self, seconds: float) -> None:
        """Wait until no request is under way, so long at most."""
        for _ in range(int(seconds * 50)):
            if not self._under_way:
                return
            await asyncio.sleep(0.02)

    async def _http(self, scope: Message, receive: Receive, send: Send) -> None:
        sent = _Sent(send)
        self._under_way += 1
        try:
            await self._answer(_request(scope, receive), sent)
        except Gone:
            pass
        except EmafusionError as error:
            await _tell(error, sent)
        except Exception:  # noqa: BLE001 - the edge of the async driver: a bug ends one request, not the gateway
            _log.exception("a bug: %s %s", scope["method"], scope["path"])
            await _tell(EmafusionError("internal error; the gateway's log has more"), sent)
        finally:
            self._under_way -= 1

    async def _answer(self, request: Request, send: Send) -> None:
        path = _path(request.path)
        handlers = ROUTES.get(path) or ROUTES.get(re.sub(r"^/models/.+", "/models/*", path))
        if handlers is None:
            raise NotFound(f"there is no {request.path[:80]}; see /v1/models, /v1/chat/completions")
        handler = handlers.get("GET" if request.method == "HEAD" else request.method)
        if handler is None:
            raise WrongMethod(request.path, tuple(handlers))
        key_id = None if path in OPEN else self.keys.check(request.headers)
        if self._under_way > self.max_concurrent and path not in OPEN:
            raise Busy(f"{self.max_concurrent} requests are under way (gateway.max_concurrent)")
        await handler(replace(request, key_id=key_id), send, self.service)


class _Sent:
    """Remembers whether the status line has left: after that an error cannot be told as one."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.any = False

    async def __call__(self, message: Message) -> None:
        self.any = True
        await self._send(message)


async def _tell(error: EmafusionError, send: _Sent) -> None:
    if send.any:
        return
    status, body = encode_error(error)
    await respond(send, Response(status=status, body=body, headers=tuple(_headers(error))))


def _headers(error: EmafusionError) -> Iterator[tuple[str, str]]:
    if isinstance(error, WrongMethod):
        yield "allow", ", ".join(error.allowed)
    wait_s = error.retry_after_s if isinstance(error, Failure) else None
    wait_s = 1.0 if isinstance(error, Busy) else wait_s
    if wait_s is not None:
        yield "retry-after", str(max(1, math.ceil(wait_s)))


def _request(scope: Message, receive: Receive) -> Request:
    raw = scope["headers"]
    pairs = cast("list[tuple[bytes, bytes]]", raw) if isinstance(raw, list) else []
    return Request(
        method=str(scope["method"]),
        path=str(scope["path"]),
        headers=_once(pairs),
        receive=receive,
    )


def _once(pairs: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by name. Raises `BadInput` for one of ours that comes twice: which one holds?"""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in pairs}
    if len(headers) < len(pairs):
        names = [name.decode("latin-1") for name, _ in pairs]
        for name in headers:
            if names.count(name) > 1 and name.startswith(READ):
                raise BadInput("is given twice", where=name)
    return headers


def _path(path: str) -> str:
    """The path below `/v1`, however often that is there.

    >>> _path("/v1/v1/models/"), _path("/models")
    ('/models', '/models')
    """
    return re.sub(r"^(/v1)+(?=/|$)", "", path).rstrip("/") or "/"


async def _live(receive: Receive, send: Send) -> None:
    """The server starts and stops; what is opened and closed belongs to who built the service."""
    while True:
        message = await receive()
        kind = str(message["type"])
        await send({"type": f"{kind}.complete"})
        if kind == "lifespan.shutdown":
            return
