"""The few words of ASGI that the face needs: bodies, JSON, event streams, and who left."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterable, MutableMapping
from typing import TypeAlias, TypedDict

AsgiMessage: TypeAlias = MutableMapping[str, object]
Receive: TypeAlias = Callable[[], Awaitable[AsgiMessage]]
Send: TypeAlias = Callable[[AsgiMessage], Awaitable[None]]


class Scope(TypedDict):
    """What is read of a request's head."""

    type: str
    method: str
    path: str
    headers: Iterable[tuple[bytes, bytes]]


_MAX_BODY_BYTES = 8 * 1024 * 1024


class BodyTooLarge(Exception):
    """The request's body is over 8 MiB."""


class Disconnected(Exception):
    """The client left before its body was complete."""


async def read_body(receive: Receive) -> bytes:
    """The whole body; raises `BodyTooLarge` or `Disconnected`."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise Disconnected
        chunk = message.get("body", b"")
        if isinstance(chunk, bytes):
            chunks.append(chunk)
            size += len(chunk)
        if size > _MAX_BODY_BYTES:
            raise BodyTooLarge
        if not message.get("more_body", False):
            return b"".join(chunks)


async def send_head(
    send: Send, status: int, content_type: str, *, more: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Begin a response."""
    headers = [(b"content-type", content_type.encode()), (b"cache-control", b"no-store"), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})


async def send_json(send: Send, status: int, data: bytes) -> None:
    """A whole JSON response."""
    length = (b"content-length", str(len(data)).encode())
    await send_head(send, status, "application/json", more=(length,))
    await send({"type": "http.response.body", "body": data})


async def send_event(send: Send, data: bytes) -> None:
    """One server-sent event of an open response."""
    await send(
        {"type": "http.response.body", "body": b"data: " + data + b"\n\n", "more_body": True}
    )


async def end_events(send: Send) -> None:
    """Close an open response."""
    await send({"type": "http.response.body", "body": b""})


async def while_connected(receive: Receive, work: Coroutine[None, None, None]) -> None:
    """Run `work` until it ends or the client leaves; then it is cancelled."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_left(receive))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        watch.cancel()
        if not task.done():
            task.cancel()
    await asyncio.wait({task, watch})
    if not task.cancelled():
        task.result()


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
