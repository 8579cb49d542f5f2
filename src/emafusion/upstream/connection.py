"""One connection to one server, carrying one exchange at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TypeVar, cast

from typing_extensions import override

from emafusion.domain.errors import Disconnected, Failure, Garbled, TimedOut
from emafusion.upstream.incoming import Incoming
from emafusion.upstream.timeouts import Limits, Timeouts
from emafusion.upstream.watch import Watch

_HIGH_WATER = 262_144
_JOIN_BELOW = 65_536
_DRAIN_S = 1.0

Hook = Callable[["Connection"], None]
_F = TypeVar("_F", bound=Failure)


class Connection(asyncio.Protocol):
    """A client connection; `lost` is called once, when it is gone.

    `exchange` sends a request and waits for the head of the response, `chunk` gives the body as it
    comes. When nobody takes the body, reading from the socket stops. Whoever started an exchange
    ends it with `finish`, `drain` or `abort`. `reused`: this exchange is not the first one.
    """

    def __init__(self, name: str, limits: Limits, lost: Hook) -> None:
        self.name = name
        self.reused = False
        self.idle_since = 0.0
        self._limits = limits
        self._lost: Hook | None = lost
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(self._loop, self._expire)
        self._transport: asyncio.Transport | None = None
        self._incoming: Incoming | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._drained: Hook | None = None
        self._error: Failure | None = None
        self._timeouts = Timeouts()
        self._used = self._writing = self._reading_paused = False

    @property
    def heard(self) -> bool:
        """Whether any byte of the current response came."""
        return self._incoming is not None and self._incoming.started

    @property
    def readable(self) -> bool:
        """Whether more of the current response can come."""
        return self._transport is not None and self._error is None

    async def exchange(
        self, head: bytes, body: bytes, *, timeouts: Timeouts, deadline: float
    ) -> Incoming:
        """Send a request and return the response once its head is there.

        Raises `TimedOut`, `Disconnected` or `Garbled`.
        """
        incoming = self._incoming = Incoming(self._limits)
        self.reused, self._used = self._used, True
        self._timeouts = timeouts
        self._watch.start(deadline, timeouts.total_s)
        self._write(head, body)
        while not incoming.has_head:
            await self._news()
        return incoming

    async def chunk(self) -> bytes:
        """Give the next bytes of the body as they were sent; empty at its end.

        Raises `TimedOut`, `Disconnected` or `Garbled`, after all that came before.
        """
        incoming = self._incoming
        while incoming is not None:
            if data := incoming.take():
                self._resume_reading()
                return data
            if incoming.done:
                break
            await self._news()
        return b""

    def finish(self) -> bool:
        """End the exchange; whether the connection can carry another one."""
        incoming = self._incoming
        if incoming is None or self._transport is None or self._error is not None:
            return False
        if not (incoming.done and incoming.reusable) or self._writing:
            return False
        self._incoming = None
        self._watch.rest()
        self._resume_reading()
        return True

    def drain(self, drained: Hook) -> None:
        """Wait a second for the end of a response of which nothing more is needed.

        `drained` is called if it comes; else the connection is dropped.
        """
        self._drained = drained
        self._resume_reading()
        self._watch.enter("drain", _DRAIN_S)

    def close(self) -> None:
        """Close in good order."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once, so that the server notices now."""
        if self._transport is not None:
            self._transport.abort()

    def detach(self) -> asyncio.Transport:
        """Hand out the transport, to be taken over by TLS; this object is done."""
        transport = self._transport
        if transport is None:
            raise self._error or Disconnected(f"{self.name} closed the connection")
        self._watch.close()
        self._transport = self._incoming = self._lost = None
        return transport

    def _write(self, head: bytes, body: bytes) -> None:
        if self._transport is None:
            raise Disconnected(f"{self.name} closed the connection")
        self._watch.enter("write", self._timeouts.write_s)
        if len(body) < _JOIN_BELOW:
            self._transport.write(head + body)
        else:
            self._transport.write(head)
            self._transport.write(body)
        if not self._writing:
            self._watch.enter("first byte", self._timeouts.first_byte_s)

    async def _news(self) -> None:
        """Wait until something happens; raise what went wrong."""
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None and not waiter.done():
            waiter.set_result(None)

    def _fail(self, error: Failure) -> None:
        self._error = self._error or error
        self.abort()
        self._wake()

    def _expire(self, phase: str, limit_s: float) -> None:
        self._fail(TimedOut(f"{self.name} took longer than {limit_s:g} s ({phase})"))

    def _resume_reading(self) -> None:
        if not self._reading_paused:
            return
        self._reading_paused = False
        if self._transport is not None:
            self._transport.resume_reading()
            self._watch.enter("between bytes", self._timeouts.between_bytes_s)

    def _progress(self, incoming: Incoming) -> None:
        """Set the clock and the flow of bytes by what has just come."""
        if incoming.done:
            self._watch.rest()
        elif self._drained is not None:
            incoming.take()
        elif incoming.has_head:
            self._watch.enter("between bytes", self._timeouts.between_bytes_s)
            if incoming.buffered > _HIGH_WATER and self._transport is not None:
                self._transport.pause_reading()
                self._reading_paused = True
                self._watch.pause()

    # Called by the event loop.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        # Not isinstance: uvloop's transports only look like it.
        self._transport = cast("asyncio.Transport", transport)
        # So writing pauses until all has left; 0 would confuse asyncio's TLS transport.
        self._transport.set_write_buffer_limits(high=1)

    @override
    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        incoming = self._incoming
        if incoming is None:
            self.abort()
            return
        try:
            incoming.feed(data)
        except Garbled as error:
            self._fail(_named(self.name, error))
            return
        self._progress(incoming)
        self._wake()
        if incoming.done and self._drained is not None:
            drained, self._drained = self._drained, None
            drained(self)

    @override
    def pause_writing(self) -> None:
        """The socket takes no more for now."""
        self._writing = True

    @override
    def resume_writing(self) -> None:
        """All that was written has left."""
        self._writing = False
        incoming = self._incoming
        if incoming is not None and not incoming.has_head:
            self._watch.enter("first byte", self._timeouts.first_byte_s)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._transport = None
        self._watch.close()
        if self._incoming is not None:
            try:
                self._incoming.end(broken=exc is not None)
            except Disconnected as error:
                self._error = self._error or _named(self.name, error)
        self._wake()
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(self)


def _named(name: str, error: _F) -> _F:
    return type(error)(f"{name} {error}")
