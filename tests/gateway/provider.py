"""A fake provider that speaks OpenAI's API on a socket of its own."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from tests.gateway.answering import Body, chunks, completion, message, vectors

Scope = dict[str, Any]
Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(eq=False)
class Provider:
    """Speaks OpenAI's API, and Anthropic's a little.

    What it says to a model is `script[model]`, else an echo.
    A script's entry is a text, or one of: `hang`, `later:SECONDS`, `status:N`, `reset`,
    `garbage`, `slow:TEXT`.
    `canned[place]`: what it says at that end of a path, whole: content type and body;
    `by_stream[place]`: the same, for who asks for no stream, and for who does.
    `seen`: bodies it got, `raw`: their bytes, `heads`: path and headers; `left`: set when a client
    went away while it was answering.
    """

    script: dict[str, str] = field(default_factory=dict)
    canned: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    by_stream: dict[str, tuple[tuple[str, bytes], ...]] = field(default_factory=dict)
    seen: list[Body] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)
    authorizations: list[str] = field(default_factory=list)
    left: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        raw = await _read(receive)
        headers = dict(scope["headers"])
        self.authorizations.append(headers.get(b"authorization", b"").decode())
        body = json.loads(raw)
        self.raw.append(raw)
        self.seen.append(body)
        self.heads.append(_head(scope))
        spoken = {place: two[bool(body.get("stream"))] for place, two in self.by_stream.items()}
        for place, (kind, data) in (self.canned | spoken).items():
            if scope["path"].endswith(place):
                await _respond(send, 200, data, kind)
                return
        said = self.script.get(body["model"], _echo(body))
        if said.startswith("later:"):
            await asyncio.sleep(float(said.partition(":")[2]))
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
            whole = WRITERS.get(scope["path"].rpartition("/")[2], completion)
            await _respond(send, 200, json.dumps(whole(said, body)).encode())

    async def _stream(self, said: str, body: Body, receive: Receive, send: Send) -> None:
        pause_s = 0.2 if said.startswith("slow:") else 0.0
        start = {"type": "http.response.start", "status": 200}
        await send({**start, "headers": [(b"content-type", b"text/event-stream")]})
        watch = asyncio.ensure_future(self._until_left(receive))
        for chunk in chunks(said.removeprefix("slow:"), body):
            await _event(send, chunk)
            await asyncio.sleep(pause_s)
            if watch.done():
                return
        await send({"type": "http.response.body", "body": b"data: [DONE]\n\n"})
        watch.cancel()

    async def _until_left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self.left.set()


WRITERS = {"messages": message, "embeddings": vectors}
"""Who writes a whole answer, by the end of the path; else it is a chat completion."""


def _echo(body: Body) -> str:
    last = (body.get("messages") or [{}])[-1]
    return f"echo of {last['content']}" if "content" in last else ""


async def _read(receive: Receive) -> bytes:
    parts: list[bytes] = []
    more = True
    while more:
        got = await receive()
        part = got.get("body", b"")
        parts.append(part if isinstance(part, bytes) else b"")
        more = bool(got.get("more_body"))
    return b"".join(parts)


def _head(scope: Scope) -> dict[str, str]:
    named = {name.decode(): value.decode() for name, value in scope["headers"]}
    return named | {":path": scope["path"], ":query": scope["query_string"].decode()}


async def _respond(send: Send, status: int, body: bytes, kind: str = "application/json") -> None:
    headers = [(b"content-type", kind.encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _event(send: Send, chunk: Body) -> None:
    data = f"data: {json.dumps(chunk)}\n\n".encode()
    await send({"type": "http.response.body", "body": data, "more_body": True})
