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
from typing import Literal, cast

import httptools
from typing_extensions import override

from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.gateway.app import App
from emafusion.gateway.exchange import Exchange
from emafusion.gateway.http import Head, TooLarge, TooSlow
from emafusion.gateway.inbound import Inbound
from emafusion.upstream.watch import Watch

MOST_HEAD_BYTES = 64 * 1024
MOST_HELD_BYTES = 32 * 1024

Phase = Literal["idle", "head", "body", "answer"]
WITHIN_S: dict[Phase, float] = {"idle": 75.0, "head": 30.0, "body": 120.0}
"""Seconds until the next request begins, its head is whole, its body is whole."""


class NotHttp(BadInput):
    """What came is no request."""


class HeadTooLarge(BadInput):
    """The headers are larger than this gateway takes."""

    status = 431


class Connection(asyncio.Protocol):
    """One connection of a client; the `Line` of its exchanges. `gone` is called at its end.

    The first of the exchanges that wait is the one whose turn it is; what follows it was sent
    ahead of the answer.
    """

    def __init__(self, app: App, gone: Callable[[Connection], None]) -> None:
        self.congested = False
        self._app = app
        self._gone = gone
        self._loop = asyncio.get_running_loop()
        self._watch = Watch(self._loop, self._expire)
        self._inbound = Inbound(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: deque[Exchange] = deque()
        self._coming: Exchange | None = None
        self._task: asyncio.Task[None] | None = None
        self._phase: Phase = "answer"
        self._head_bytes = self._held_bytes = 0
        self._held: list[bytes] = []
        self._deaf = self._paused = self._stopping = False
        self._drained: asyncio.Future[None] | None = None

    def stop(self) -> None:
        """Take no further request; close as soon as what came is answered."""
        self._stopping = True
        for exchange in self._waiting:
            exchange.keep_alive = False
        if not self._waiting and self._coming is None:
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

    def body_came(self, data: bytes, /) -> None:
        """A piece of a body."""
        exchange, limit = self._coming, self._app.service.max_body
        if exchange is not None and not exchange.take(data, limit):
            self._refuse(exchange, TooLarge.over(limit))

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
        self._deaf = True
        self._flush()
        if self._transport is not None:
            self._transport.close()

    # One exchange after the other.

    def _next(self) -> None:
        """Answer the requests whose turn it is, as far as they are whole or refused."""
        while self._task is None and self._waiting:
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
                self._pace()
            else:
                self._deaf = True
                self.cut_off()

    def _refuse(self, exchange: Exchange, error: EmafusionError) -> None:
        """Answer a request by an error although it was admitted and is not whole."""
        exchange.drop(self._app)
        exchange.refuse(error)
        if not exchange.done:
            self._next()

    def _fail(self, error: EmafusionError) -> None:
        """Nothing more can be read: answer what is coming by the error, then close."""
        self._deaf = True
        exchange, self._coming = self._coming, None
        if exchange is None:
            exchange = Exchange(self, Head(method="", path="", headers={}), modern=True)
            self._waiting.append(exchange)
        exchange.whole, exchange.keep_alive = True, False
        if exchange.done:
            self._close()
        else:
            self._refuse(exchange, error)

    def _count_head(self, size: int) -> None:
        """Refuse a head that does not end; `size`: bytes of it that came now, 0 where it began."""
        self._head_bytes = self._head_bytes + size if size else 0
        if self._head_bytes > MOST_HEAD_BYTES and not self._deaf:
            self._fail(HeadTooLarge(f"the headers are larger than {MOST_HEAD_BYTES:,} bytes"))

    def _pace(self) -> None:
        """Set the clock, and read no further ahead than the next request."""
        phase: Phase = "answer" if self._waiting else "idle"
        if self._coming is not None:
            phase = "body"
        elif self._inbound.in_head:
            phase = "head"
        if phase != self._phase:
            self._phase = phase
            if phase == "answer":
                self._watch.rest()
            else:
                self._watch.enter(phase, WITHIN_S[phase])
        ahead = len(self._waiting) > 1
        if ahead != self._paused and self._transport is not None:
            self._paused = ahead
            (self._transport.pause_reading if ahead else self._transport.resume_reading)()

    def _expire(self, phase: str, limit_s: float) -> None:
        if phase == "body":
            self._fail(TooSlow(f"the body did not come within {limit_s:g} s"))
        else:
            self._close()

    # Called by the event loop.

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has connected."""
        # Not isinstance: uvloop's transports only look like it.
        self._transport = cast("asyncio.Transport", transport)
        self._pace()

    @override
    def data_received(self, data: bytes) -> None:
        """Bytes came."""
        if self._deaf:
            return
        inbound = self._inbound
        awaited = inbound.heads if inbound.in_head else -1
        try:
            inbound.feed(data)
        except httptools.HttpParserError:
            self._fail(NotHttp("this is no valid HTTP request"))
        if inbound.in_head:
            self._count_head(len(data) if inbound.heads == awaited else 0)
        self._pace()

    @override
    def pause_writing(self) -> None:
        """The client takes no more for now."""
        self.congested = True

    @override
    def resume_writing(self) -> None:
        """The client has caught up."""
        self.congested = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone: nobody waits for what is done for it."""
        self._transport, self._deaf = None, True
        self._watch.close()
        self.resume_writing()
        if self._task is not None:
            self._task.cancel()
        for exchange in self._waiting:
            exchange.drop(self._app)
        self._waiting.clear()
        self._gone(self)
