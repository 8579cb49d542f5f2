"""The little of ASGI that the gateway needs: read a request, send a response."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass

from msgspec import Struct

from emafusion.domain.errors import BadInput

Message = MutableMapping[str, object]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = tuple[tuple[str, str], ...]


class TooLarge(BadInput):
    """The body is larger than this gateway takes."""

    status = 413
    code = "request_too_large"


class WrongEncoding(BadInput):
    """The body is compressed."""

    status = 415
    code = "unsupported_encoding"


class TooSlow(BadInput):
    """The body did not come in time."""

    status = 408
    code = "request_timeout"


BODY_WITHIN_S = 120.0
"""Seconds that a client has to send its body."""


class Gone(Exception):
    """The client left before its request was read."""


class Request(Struct, frozen=True, kw_only=True, eq=False):
    """One HTTP request.

    `headers`: names in lower case, each once. `key_id`: which gateway key it
    came with, None where keys are off.
    """

    method: str
    path: str
    headers: dict[str, str]
    receive: Receive
    key_id: str | None = None

    async def body(self, limit: int) -> bytes:
        """Read the whole body, at most `limit` bytes.

        Raises `TooLarge`, `TooSlow`, `WrongEncoding` or `Gone`.
        """
        encoding = self.headers.get("content-encoding", "identity")
        if encoding.lower() != "identity":
            raise WrongEncoding(
                f"must not be compressed, got {encoding[:40]!r}", where="content-encoding"
            )
        told = self.headers.get("content-length", "")
        if told.isdigit() and int(told) > limit:
            raise TooLarge(_over(limit))
        try:
            async with asyncio.timeout(BODY_WITHIN_S):
                return await self._whole(limit)
        except TimeoutError:
            raise TooSlow(f"the body did not come within {BODY_WITHIN_S:g} s") from None

    async def _whole(self, limit: int) -> bytes:
        parts: list[bytes] = []
        size = 0
        while True:
            message = await self.receive()
            if message["type"] == "http.disconnect":
                raise Gone
            part = message.get("body", b"")
            parts.append(part if isinstance(part, bytes) else b"")
            size += len(parts[-1])
            if size > limit:
                raise TooLarge(_over(limit))
            if not message.get("more_body"):
                return b"".join(parts)

    async def left(self) -> None:
        """Return when the client has left. Only after the body was read."""
        while (await self.receive())["type"] != "http.disconnect":
            pass


def _over(limit: int) -> str:
    return f"the body is larger than {limit:,} bytes (gateway.max_body_mb)"


async def start(send: Send, status: int, headers: Headers) -> None:
    """Send status and headers."""
    raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in headers]
    await send({"type": "http.response.start", "status": status, "headers": raw})


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole JSON response."""

    body: bytes
    status: int = 200
    headers: Headers = ()


async def respond(send: Send, response: Response) -> None:
    """Send a whole response."""
    fixed = (("content-type", "application/json"), ("content-length", str(len(response.body))))
    await start(send, response.status, (*fixed, *response.headers))
    await send({"type": "http.response.body", "body": response.body})
