"""The HTTP client: requests to any server over pooled connections."""

from __future__ import annotations

import asyncio

from emafusion.domain.errors import Disconnected
from emafusion.upstream.address import Server
from emafusion.upstream.connection import Connection
from emafusion.upstream.dial import Dialler
from emafusion.upstream.lane import Lane
from emafusion.upstream.proxy import Proxies
from emafusion.upstream.request import Headers, HttpRequest, encode_fixed, end_head
from emafusion.upstream.response import Response
from emafusion.upstream.timeouts import Limits, Timeouts
from emafusion.upstream.tls import Trust

_KEPT_HEADS = 256
_Same = tuple[Server, str, str, Headers]


class Pool:
    """Keeps connections for every server that it was asked to reach; belongs to one event loop.

    No redirect is followed and nothing that a server says chooses an address. `trust` may be
    shared by several pools.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        proxies: Proxies | None = None,
        trust: Trust | None = None,
    ) -> None:
        self._limits = limits or Limits()
        self._proxies = proxies or Proxies()
        self._trust = trust or Trust()
        self._lanes: dict[Server, Lane] = {}
        self._heads: dict[_Same, bytes] = {}
        self._closed = False

    @property
    def connections(self) -> int:
        """Connections open or being opened, to all servers."""
        return sum(lane.size for lane in self._lanes.values())

    async def open(
        self, server: Server, request: HttpRequest, timeouts: Timeouts | None = None, /
    ) -> Response:
        """Send a request and return its response as soon as the head is there.

        The caller must `close` the response. Raises `TimedOut`, `Disconnected` or `Garbled`, and
        `BadInput` for a request that cannot be written. If the awaiting task is cancelled, the
        connection closes at once.
        """
        timeouts = timeouts or Timeouts()
        lane = self._lane(server)
        head = end_head(self._fixed_head(server, request), request)
        deadline = asyncio.get_running_loop().time() + timeouts.total_s
        connection = lane.spare() or await lane.acquire(timeouts)
        while True:
            try:
                incoming = await connection.exchange(
                    head, request.body, timeouts=timeouts, deadline=deadline
                )
            except BaseException as error:
                lane.give_back(connection)
                if not _was_stale(connection, error):
                    raise
            else:
                most = self._limits.max_body_bytes
                return Response(connection, incoming, lane=lane, max_body_bytes=most)
            connection = await lane.acquire(timeouts, fresh=True)

    async def close(self) -> None:
        """Close every connection; the pool is of no more use."""
        self._closed = True
        lanes = tuple(self._lanes.values())
        await asyncio.gather(*(lane.close() for lane in lanes))

    def _fixed_head(self, server: Server, request: HttpRequest) -> bytes:
        """What the heads of like requests have in common, made once."""
        same = (server, request.method, request.target, request.headers)
        head = self._heads.get(same)
        if head is None:
            if len(self._heads) >= _KEPT_HEADS:
                self._heads.clear()
            head = encode_fixed(request, server, self._proxies.choose(server))
            self._heads[same] = head
        return head

    def _lane(self, server: Server) -> Lane:
        if self._closed:
            raise Disconnected("the connection pool is closed")
        lane = self._lanes.get(server)
        if lane is None:
            lane = self._lanes[server] = Lane(self._dialler(server))
        return lane

    def _dialler(self, server: Server) -> Dialler:
        tls = self._trust.context() if server.scheme == "https" else None
        proxy = self._proxies.choose(server)
        return Dialler(server=server, limits=self._limits, proxy=proxy, tls=tls)


def _was_stale(connection: Connection, error: BaseException) -> bool:
    """Whether a kept connection had been closed before it could carry this request.

    Servers close idle connections; one that does so without a byte of reply has not read the
    request, or at least not answered it, so asking once more on a new connection is right.
    """
    return isinstance(error, Disconnected) and connection.reused and not connection.heard
