"""The gateway on a socket: bind, announce, serve until told to stop."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable

import uvicorn
from typing_extensions import override

from emafusion.domain.errors import Unready
from emafusion.gateway.app import App
from emafusion.gateway.protocol import BoundedProtocol

GRACE_S = 30
"""Seconds that requests under way have to finish when the gateway is told to stop."""

LOGGED_S = 5
"""Seconds that requests which were cut off then have to reach the log."""


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
    app: App, listener: socket.socket, announce: Callable[[], None], *, grace_s: int = GRACE_S
) -> None:
    """Serve until SIGINT, SIGTERM or cancellation, then let what is under way finish."""
    server = _Server(_settings(app, grace_s), announce)
    task = asyncio.ensure_future(server.serve(sockets=[listener]))
    try:
        await asyncio.shield(task)
    finally:
        server.should_exit = True
        await task
        await app.finished(LOGGED_S)
        listener.close()


def _settings(app: App, grace_s: int) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=BoundedProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        date_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=grace_s,
        backlog=2048,
    )


class _Server(uvicorn.Server):
    """A server that says when it is ready."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, then tell."""
        await super().startup(sockets=sockets)
        self._announce()
