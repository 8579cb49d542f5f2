"""A fake provider that speaks OpenAI's API on a socket of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from dataclasses import dataclass, field
from typing import Any

from emafusion.gateway.http import Receive, Send

Body = dict[str, Any]
Scope = dict[str, Any]


@dataclass(eq=False)
class Provider:
    """Speaks OpenAI's API. What it says to a model is `script[model]`, else an echo.

    A script's entry is a text, or one of: `hang`, `status:N`, `reset`, `garbage`, `slow:TEXT`.
    `seen`: bodies it got; `left`: set when a client went away while it was answering.
    """

    script: dict[str, str] = field(default_factory=dict)
    seen: list[Body] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw = b""
        while True:
            message = await receive()
            raw += bytes(message.get("body", b""))  # type: ignore[arg-type]
            if not message.get("more_body"):
                break
        headers = dict(scope["headers"])
        self.authorizations.append(headers.get(b"authorization", b"").decode())
        body = json.loads(raw)
        self.seen.append(body)
        said = self.script.get(body["model"], f"echo of {body['messages'][-1]['content']}")
        if said == "hang":
            await self._until_left(receive)
        elif said.startswith("status:"):
            status = int(said.partition(":")[2])
            told = {"error": {"message": "as scripted", "type": "x", "code": None, "param": None}}
            await _respond(send, status, json.dumps(told).encode())
        elif said == "garbage":
            await _respond(send, 200, b"<html>not json</html>")
        elif body.get("stream"):
            await self._stream(said, body, receive, send)
        else:
            await _respond(send, 200, json.dumps(_completion(said, body)).encode())

    async def _stream(self, said: str, body: Body, receive: Receive, send: Send) -> None:
        slow = said.startswith("slow:")
        words = said.removeprefix("slow:").split(" ")
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-type", b"text/event-stream")]})
        watch = asyncio.ensure_future(self._until_left(receive))
        for i, word in enumerate(words):
            delta = {"content": word if i == 0 else f" {word}"}
            await _event(send, _chunk(body, delta))
            if slow:
                await asyncio.sleep(0.2)
            if watch.done():
                return
        await _event(send, _chunk(body, {}, finish="stop"))
        if (body.get("stream_options") or {}).get("include_usage"):
            await _event(send, {**_chunk(body, {}), "choices": [], "usage": _usage(said)})
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        watch.cancel()

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


async def _respond(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _event(send: Send, chunk: Body) -> None:
    data = f"data: {json.dumps(chunk)}\n\n".encode()
    await send({"type": "http.response.body", "body": data, "more_body": True})


def _completion(said: str, body: Body) -> Body:
    message = {"role": "assistant", "content": said, "refusal": None}
    return {
        "id": "chatcmpl-provider",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [{"index": 0, "message": message, "finish_reason": "stop", "logprobs": None}],
        "usage": _usage(said),
        "provider_field": "kept",
    }


def _chunk(body: Body, delta: Body, finish: str | None = None) -> Body:
    return {
        "id": "chatcmpl-provider",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
    }


def _usage(said: str) -> Body:
    spoken = len(said.split())
    return {"prompt_tokens": 100, "completion_tokens": spoken, "total_tokens": 100 + spoken}
