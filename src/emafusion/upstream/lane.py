"""The connections to one server: idle ones, busy ones, and the calls that wait for one."""

from __future__ import annotations

import asyncio
from collections import deque

from emafusion.domain.errors import Disconnected, TimedOut
from emafusion.upstream.connection import Connection
from emafusion.upstream.dial import Dialler
from emafusion.upstream.timeouts import Timeouts

_Ticket = asyncio.Future[Connection | None]


class Lane:
    """At most `max_connections` at a time; who comes when all are busy waits in line.

    The connection used last is used next: it is the least likely to have been closed meanwhile.
    """

    def __init__(self, dialler: Dialler) -> None:
        self._dialler = dialler
        self._limits = dialler.limits
        self._idle: list[Connection] = []
        self._open: set[Connection] = set()
        self._opening = 0
        self._line: deque[_Ticket] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._empty: asyncio.Future[None] | None = None

    @property
    def size(self) -> int:
        """Connections open or being opened."""
        return len(self._open) + self._opening

    def spare(self) -> Connection | None:
        """Give an idle connection, if there is one."""
        return self._idle.pop() if self._idle else None

    async def acquire(self, timeouts: Timeouts, *, fresh: bool = False) -> Connection:
        """Give an idle connection or a new one; `fresh`: rather a new one.

        Raises `TimedOut` or `Disconnected`.
        """
        if not fresh and self._idle:
            return self._idle.pop()
        if self.size >= self._limits.max_connections:
            if self._idle:
                self._drop(self._idle.pop(0))
            else:
                connection = await self._wait(timeouts.queue_s)
                if connection is not None:
                    return connection
                self._opening -= 1
        return await self._dial(timeouts.connect_s)

    def give_back(self, connection: Connection, *, nearly_done: bool = False) -> None:
        """Take back a connection after an exchange.

        `nearly_done`: of a response that is not complete, only framing is missing.
        """
        if connection.finish():
            self._settle(connection)
        elif nearly_done and connection.readable:
            connection.drain(self.give_back)
        else:
            self._drop(connection)

    async def close(self) -> None:
        """Close every connection and send away whoever waits."""
        for ticket in self._line:
            if not ticket.done():
                ticket.set_exception(Disconnected("the connection pool is closed"))
        self._line.clear()
        if self._sweeper is not None:
            self._sweeper.cancel()
        self.close_idle()
        for connection in tuple(self._open):
            connection.abort()
        if self._open:
            self._empty = asyncio.get_running_loop().create_future()
            await asyncio.wait((self._empty,), timeout=1.0)

    def close_idle(self) -> None:
        """Close the connections that nobody uses."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    async def _dial(self, connect_s: float) -> Connection:
        self._opening += 1
        try:
            connection = await self._dialler.dial(connect_s, self._lost)
        except BaseException:
            self._opening -= 1
            self._next()
            raise
        self._opening -= 1
        self._open.add(connection)
        return connection

    async def _wait(self, queue_s: float) -> Connection | None:
        """Wait in line for a connection, or for None: the right to open one."""
        ticket: _Ticket = asyncio.get_running_loop().create_future()
        self._line.append(ticket)
        try:
            async with asyncio.timeout(queue_s):
                return await ticket
        except BaseException as error:
            self._leave(ticket)
            if isinstance(error, TimeoutError):
                message = f"all {self._limits.max_connections} connections busy for {queue_s:g} s"
                raise TimedOut(f"{message} (queue)") from None
            raise

    def _leave(self, ticket: _Ticket) -> None:
        """Give up a place in line, or pass on what was given in the same moment."""
        if not ticket.done() or ticket.cancelled() or ticket.exception() is not None:
            if ticket in self._line:
                self._line.remove(ticket)
            return
        connection = ticket.result()
        if connection is not None:
            self._settle(connection)
        else:
            self._opening -= 1
            self._next()

    def _settle(self, connection: Connection) -> None:
        """Hand a connection to the next in line, or keep it for later."""
        while self._line:
            ticket = self._line.popleft()
            if not ticket.done():
                ticket.set_result(connection)
                return
        if len(self._idle) >= self._limits.max_idle:
            self._drop(connection)
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.append(connection)
        if self._sweeper is None:
            self._sweeper = loop.call_later(self._limits.idle_s, self._sweep)

    def _sweep(self) -> None:
        """Close what has been idle for too long; the list is in the order of use."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - self._limits.idle_s
        while self._idle and self._idle[0].idle_since <= oldest + 0.001:
            self._drop(self._idle.pop(0))
        self._sweeper = None
        if self._idle:
            due = self._idle[0].idle_since + self._limits.idle_s
            self._sweeper = loop.call_at(due, self._sweep)

    def _drop(self, connection: Connection) -> None:
        connection.abort()
        self._lost(connection)

    def _lost(self, connection: Connection) -> None:
        """A connection is gone, by our doing or not; called again by the loop, which is no harm."""
        if connection in self._idle:
            self._idle.remove(connection)
        if connection not in self._open:
            return
        self._open.remove(connection)
        self._next()
        if not self._open and self._empty is not None and not self._empty.done():
            self._empty.set_result(None)

    def _next(self) -> None:
        """Let the next in line open a connection, if there is room for one."""
        while self._line and self.size < self._limits.max_connections:
            ticket = self._line.popleft()
            if not ticket.done():
                self._opening += 1
                ticket.set_result(None)
                return
