"""HTTP/1.1 as uvicorn speaks it, with limits on what comes before a request is one.

A head that does not end, in bytes or in time, would otherwise hold memory or a connection for ever.
What is written in one turn of the event loop leaves together: each write is a call of the system
and wakes the client, which costs more than anything that is done here.
"""

from __future__ import annotations

import asyncio
from typing import cast

import uvicorn
from msgspec import json
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

MOST_HEAD_BYTES = 64 * 1024
HEAD_WITHIN_S = 30.0
MOST_HELD_BYTES = 32 * 1024


class Joined:
    """A transport that sends all that is written within one turn of the event loop in one write.

    So the head of a response leaves with its body, and a burst of events as one piece.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport = transport
        self._loop = loop
        self._held: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> None:
        """Send at the end of this turn, or now what has become too much to hold."""
        if not self._held:
            self._loop.call_soon(self.flush)
        self._held.append(data)
        self._size += len(data)
        if self._size > MOST_HELD_BYTES:
            self.flush()

    def flush(self) -> None:
        """Send what is held."""
        if self._held:
            data = b"".join(self._held)
            self._held.clear()
            self._size = 0
            self._transport.write(data)

    def close(self) -> None:
        """Send what is held, then close."""
        self.flush()
        self._transport.close()

    def __getattr__(self, name: str) -> object:
        return getattr(self._transport, name)


class BoundedProtocol(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(
        self,
        config: uvicorn.Config,
        server_state: ServerState,
        app_state: dict[str, object],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._head_bytes = 0
        self._in_head = True
        self._overdue: asyncio.TimerHandle | None = None
        self._await_head()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        joined = Joined(cast("asyncio.Transport", transport), self.loop)
        super().connection_made(cast("asyncio.Transport", joined))

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        self._head_came()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        """Read on, as long as the head stays within its limits."""
        super().data_received(data)
        if not self._in_head or self.parser is None:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES:
            self._refuse(431, f"the headers are larger than {MOST_HEAD_BYTES:,} bytes")
        elif self._overdue is None:
            self._await_head()

    @override
    def on_message_begin(self) -> None:
        """A request begins."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

    @override
    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._in_head = False
        self._head_came()
        super().on_headers_complete()

    @override
    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the API's shape."""
        self._refuse(400, msg)

    def _await_head(self) -> None:
        self._overdue = self.loop.call_later(HEAD_WITHIN_S, self._give_up)

    def _head_came(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        self.transport.close()

    def _refuse(self, status: int, message: str) -> None:
        error = {
            "message": message,
            "type": "invalid_request_error",
            "param": None,
            "code": "invalid_request",
        }
        body = json.encode({"error": error})
        head = (
            f"HTTP/1.1 {status} Refused\r\ncontent-type: application/json\r\n"
            f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head.encode() + body)
        self.transport.close()
