"""A response whose body is still coming."""

from __future__ import annotations

from emafusion.upstream.connection import Connection
from emafusion.upstream.content import decoder_for
from emafusion.upstream.incoming import Incoming
from emafusion.upstream.lane import Lane


class Response:
    """Status, headers and body of a response; must be closed, which frees its connection.

    A body read to its end leaves the connection to the next request; else it is dropped.
    """

    __slots__ = ("_connection", "_decoder", "_incoming", "_lane", "status")

    def __init__(
        self, connection: Connection, incoming: Incoming, *, lane: Lane, max_body_bytes: int
    ) -> None:
        self.status = incoming.status
        self._connection = connection
        self._incoming = incoming
        self._lane: Lane | None = lane
        try:
            self._decoder = decoder_for(incoming.coding, max_body_bytes)
        except BaseException:
            self.close()
            raise

    @property
    def headers(self) -> dict[str, str]:
        """Headers, names in lower case."""
        return self._incoming.headers()

    @property
    def tells_limits(self) -> bool:
        """Whether there are headers about rate limits."""
        return self._incoming.tells_limits

    async def chunk(self) -> bytes:
        """Give the next bytes of the body as soon as there are any; empty at its end.

        Raises `TimedOut`, `Disconnected` or `Garbled`.
        """
        decoder = self._decoder
        while data := await self._connection.chunk():
            if decoder is None:
                return data
            # A piece of a compressed body may mean nothing yet.
            if text := decoder.decode(data):
                return text
        return b""

    async def read(self) -> bytes:
        """Give the rest of the body."""
        if self._incoming.done and self._decoder is None:
            return self._incoming.take()
        first = await self.chunk()
        pieces = [first]
        while pieces[-1]:
            pieces.append(await self.chunk())
        return b"".join(pieces)

    def close(self, *, nearly_done: bool = False) -> None:
        """Free the connection; closing twice does no harm.

        `nearly_done`: what is missing of the body is known to be of no interest and about to come,
        so that the connection is worth keeping.
        """
        lane, self._lane = self._lane, None
        if lane is not None:
            lane.give_back(self._connection, nearly_done=nearly_done)
