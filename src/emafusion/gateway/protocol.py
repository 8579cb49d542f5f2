"""HTTP/1.1 on one connection of a client: requests in, responses out, in their order.

What comes before a request is one has limits: a head or a body that does not end, in bytes or in
time, would hold memory or a connection for ever. A client that leaves cancels what is done for it.
What is written in one turn of the event loop leaves together: each write is a call of the system
and wakes the client, which costs more than most of what is done here.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import cast

import httptools
from typing_extensions import override

from emafusion.domain.errors import EmafusionError
from emafusion.gateway.exchange import Exchange
from emafusion.gateway.http import Head, TooSlow
from emafusion.gateway.inbound import Inbound
from emafusion.gateway.pace import Pace, Phase
from emafusion.gateway.site import Site
from emafusion.gateway.strict import HeadTooLarge, NotHttp

MOST_HELD_BYTES = 32 * 1024
LINGER_S = 1.0
"""Seconds in which a client that was refused may read why, while what it still sends is dropped."""


class Connection(asyncio.Protocol):
    """One connection of a client; the `Line` of its exchanges. `gone` is called at its end.

    The first of the exchanges that wait is the one whose turn it is; what follows it was sent
    ahead of the answer.
    """

    def __init__(self, app: Site, gone: Callable[[Connection], None]) -> None:
        self.congested = False
        self._app = app
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._limits = app.limits
        self._pace = Pace(app.limits, self._loop, self._expire)
        self._inbound = Inbound(self, app.limits)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Exchange] = deque()
        self._coming: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._held_bytes = 0
        self._held: list[bytes] = []
        self._deaf = self._paused = self._stopping = self._closing = False
        self._drained: asyncio.Future[None] | None = None

    def stop(self, *, gently: bool = False) -> None:
        """Take no further request; close as soon as what came is answered.

        `gently`: where nothing has come, wait for one request more.
        """
        self._stopping = True
        for exchange in self._waiting:
            exchange.keep_alive = False
        if not gently and not self._waiting and self._coming is None:
            self._close()

    def cut_off(self) -> None:
        """End what is under way."""
        if self._task is not None:
            self._task.cancel()
        elif self._transport is not None:
            self._transport.abort()

    # What comes of requests: an `inbound.Listener`.

    def head_came(self, head: Head, /, *, modern: bool, keep_alive: bool) -> None:
        """A head is whole: admit its request, or refuse it before its body is read."""
        if self._deaf:
            return
        exchange = Exchange(self, head, modern=modern)
        exchange.keep_alive = keep_alive and not self._stopping
        self._coming = exchange
        self._waiting.append(exchange)
        asks = head.headers.get("expect", "").lower() == "100-continue"
        try:
            exchange.admitted = self._app.admit(head)
        except EmafusionError as error:
            exchange.refuse(error)
            if asks:  # so its body will not come, and nothing else can be told from it
                exchange.whole, exchange.keep_alive = True, False
                self._coming = None
            self._next()
        else:
            if asks and self._waiting[0] is exchange:
                self.send(b"HTTP/1.1 100 Continue\r\n\r\n", at_once=True)

    def head_refused(self, head: Head, wrong: EmafusionError, /) -> None:
        """A head is wrong: where its request ends cannot be told, so it is the last one."""
        if not self._deaf:
            self._fail(wrong, head)

    def body_came(self, data: bytes, /) -> None:
        """A piece of a body."""
        exchange, app = self._coming, self._app
        if exchange is None:
            return
        wrong = exchange.take(data, app.max_body, app.bodies)
        if wrong is not None:
            self._refuse(exchange, wrong)

    def request_came(self) -> None:
        """A request is whole."""
        exchange, self._coming = self._coming, None
        if exchange is None:
            return
        exchange.whole = True
        if not exchange.done:
            self._next()
        elif not exchange.keep_alive:
            self._close()

    # What goes out: a `Line`.

    def send(self, data: bytes, /, *, at_once: bool) -> None:
        """Write; what is not sent at once leaves with all else of this turn of the event loop."""
        if not self._held and not at_once:
            self._loop.call_soon(self._flush)
        self._held.append(data)
        self._held_bytes += len(data)
        if at_once or self._held_bytes > MOST_HELD_BYTES:
            self._flush()

    async def drained(self) -> None:
        """Return when the client has caught up, or is gone."""
        while self.congested:
            self._drained = self._loop.create_future()
            await self._drained

    def answered(self, exchange: Exchange, /) -> None:
        """The first exchange is over."""
        if self._waiting and self._waiting[0] is exchange:
            self._waiting.popleft()
        if not exchange.keep_alive and exchange.whole:
            self._close()

    def _flush(self) -> None:
        held = self._held
        if held and self._transport is not None:
            self._transport.write(held[0] if len(held) == 1 else b"".join(held))
        held.clear()
        self._held_bytes = 0

    def _close(self) -> None:
        """Close once all is sent; who is still sending gets time to read what was said."""
        was_deaf, self._deaf = self._deaf, True
        self._flush()
        transport = self._transport
        if transport is None or self._closing:
            return
        self._closing = True
        self._pace.enter("closing")
        if was_deaf and not self._stopping and transport.can_write_eof():
            # Closing now would reset the connection where bytes are still coming, and with it
            # the answer that is on its way.
            transport.resume_reading()
            transport.write_eof()
            self._loop.call_later(LINGER_S, transport.close)
        else:
            transport.close()

    # One exchange after the other.

    def _next(self) -> None:
        """Answer the requests whose turn it is, as far as they are whole or refused."""
        while self._task is None and self._waiting and not self._closing:
            exchange = self._waiting[0]
            if exchange.refusal is not None:
                self._app.tell(exchange.refusal, exchange, exchange.head)
            elif exchange.whole:
                self._task = self._loop.create_task(self._answer(exchange))
            else:
                break

    async def _answer(self, exchange: Exchange) -> None:
        try:
            await exchange.handled(self._app)
        finally:
            self._task = None
            if exchange.done:
                self._next()
                self._keep_pace()
            else:
                self._deaf = True
                self.cut_off()

    def _refuse(self, exchange: Exchange, error: EmafusionError) -> None:
        """Answer a request by an error although it was admitted and is not whole."""
        exchange.refuse(error)
        if not exchange.done:
            self._next()

    def _fail(self, error: EmafusionError, head: Head | None = None) -> None:
        """Nothing more can be read: answer what is coming by the error, then close."""
        self._deaf = True
        exchange, self._coming = self._coming, None
        if exchange is None:
            exchange = Exchange(self, head or Head(method="", path="", headers={}), modern=True)
            self._waiting.append(exchange)
        exchange.whole, exchange.keep_alive = True, False
        if exchange.done:
            self._close()
        else:
            self._refuse(exchange, error)

    def _keep_pace(self) -> None:
        """Set the clock, and read no further ahead than the next request."""
        phase: Phase = "answer" if self._waiting else "idle"
        if self.congested:
            phase = "stall"
        elif self._coming is not None:
            phase = "body"
        elif self._inbound.in_head:
            phase = "head"
        self._pace.enter(phase)
        ahead = len(self._waiting) > 1
        if ahead != self._paused and self._transport is not None:
            self._paused = ahead
            (self._transport.pause_reading if ahead else self._transport.resume_reading)()

    def _expire(self, phase: str, limit_s: float) -> None:
        if phase in {"stall", "closing"}:
            self._deaf = True
            self.cut_off()
            if self._transport is not None:
                self._transport.abort()
        elif phase == "idle" or self._deaf or (phase == "head" and not self._inbound.framing):
            self._close()
        else:
            what = "head" if phase == "head" else "body"
            self._fail(TooSlow(f"the {what} did not come within {limit_s:g} s"))

    # Called by the event loop.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # Not isinstance: uvloop's transports only look like it.
        self._transport = cast("asyncio.Transport", transport)
        self._keep_pace()

    @override
    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._deaf:
            return
        try:
            self._inbound.feed(data)
        except httptools.HttpParserError:
            if not self._deaf:
                self._fail(NotHttp("this is no valid HTTP request"))
        if self._inbound.framing > self._limits.head_bytes and not self._deaf:
            self._fail(HeadTooLarge.over(self._limits))
        self._pace.came()
        self._keep_pace()

    @override
    def pause_writing(self) -> None:
        """The client takes no more for now."""
        self.congested = True
        self._pace.enter("stall")

    @override
    def resume_writing(self) -> None:
        """The client has caught up."""
        self.congested = False
        self._keep_pace()
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: nobody waits for what is done for it."""
        self._transport, self._deaf = None, True
        self.resume_writing()
        self._pace.close()
        if self._task is not None:
            self._task.cancel()
        for exchange in self._waiting:
            exchange.forget()
        self._waiting.clear()
        self._gone(self)
