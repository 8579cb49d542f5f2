"""The gateway on a socket: bind, announce, serve until told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

from emafusion.domain.errors import Unready
from emafusion.gateway.protocol import Connection
from emafusion.gateway.site import Site

GRACE_S = 30
"""Seconds that requests under way have to finish when the gateway is told to stop."""

LOGGED_S = 5
"""Seconds that requests which were cut off then have to reach the log."""

BACKLOG = 2048


def bind(host: str, port: int) -> socket.socket:
    """Bind the address; port 0 takes any free one. Raises `Unready` with what to do."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise Unready(f"cannot listen on {host}:{port}: {reason}; choose another --port") from error
    return listener


async def serve(
    app: Site,
    listener: socket.socket,
    announce: Callable[[], None],
    *,
    grace_s: float = GRACE_S,
    gentle_s: Callable[[], float] = lambda: 0.0,
) -> None:
    """Serve until cancelled, then let what is under way finish; once more ends that at once.

    `gentle_s`: seconds, asked when it ends, in which a client that is connected may still send a
    request: where another server has taken over the address, and nobody is to notice.
    """
    house = _House(app)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(house.connection, sock=listener, backlog=BACKLOG)
    try:
        announce()
        await loop.create_future()
    finally:
        server.close()
        try:
            await house.left_alone(gentle_s())
            await house.emptied(grace_s)
        finally:
            house.cut_off()
            await app.finished(LOGGED_S)
            listener.close()


class _House:
    """The connections of all clients."""

    def __init__(self, app: Site) -> None:
        self._app = app
        self._open: set[Connection] = set()
        self._changed = asyncio.Event()

    def connection(self) -> Connection:
        """Make what speaks with the next client."""
        made = Connection(self._app, self._gone)
        self._open.add(made)
        return made

    async def left_alone(self, gentle_s: float) -> None:
        """Let every connection answer one more request, if it comes so soon."""
        if gentle_s > 0.0:
            for each in tuple(self._open):
                each.stop(gently=True)
            await self._gone_within(gentle_s)

    async def emptied(self, grace_s: float) -> None:
        """Let every connection answer what it has; return when all are gone or time is up."""
        for each in tuple(self._open):
            each.stop()
        await self._gone_within(grace_s)

    async def _gone_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                while self._open:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass

    def cut_off(self) -> None:
        """End what is still under way."""
        for each in tuple(self._open):
            each.cut_off()

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        self._changed.set()
