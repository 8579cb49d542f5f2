"""One request of a client and the response to it."""

from __future__ import annotations

from typing import Protocol

from emafusion.domain.errors import EmafusionError
from emafusion.gateway.app import Admitted
from emafusion.gateway.bodies import Bodies, Crowded
from emafusion.gateway.http import Head, Headers, Request, Response, TooLarge, head_of
from emafusion.gateway.site import Site


class Line(Protocol):
    """What an exchange needs of its connection."""

    @property
    def congested(self) -> bool:
        """Whether more was written than the client has taken."""
        ...

    def send(self, data: bytes, /, *, at_once: bool) -> None:
        """Write; what is not sent at once leaves with all else of this turn of the event loop."""
        ...

    def answered(self, exchange: Exchange, /) -> None:
        """The response is complete."""
        ...

    async def drained(self) -> None:
        """Return when the client has caught up."""
        ...


class Exchange:
    """A `Sender`: takes the response to the request that it holds.

    `refusal`: why the request is not admitted; its body is then skipped. `whole`: all of it came.
    `keep_alive`: the connection may carry another request after it.
    """

    __slots__ = (
        "_bodies", "_held", "_line", "_modern", "_parts", "_size", "_started",
        "admitted", "done", "head", "keep_alive", "refusal", "whole",
    )  # fmt: skip

    def __init__(self, line: Line, head: Head, *, modern: bool) -> None:
        self.head = head
        self.admitted: Admitted | None = None
        self.refusal: EmafusionError | None = None
        self.whole = self.done = False
        self.keep_alive = modern
        self._line = line
        self._modern = modern  # HTTP/1.1: bodies may come in chunks
        self._parts: list[bytes] = []
        self._size = self._held = 0
        self._bodies: Bodies | None = None
        self._started = False

    def take(self, data: bytes, limit: int, bodies: Bodies) -> EmafusionError | None:
        """Keep a piece of the body; why not, where it is too large or there is no room for it."""
        if self.refusal is not None:
            return None
        self._size += len(data)
        if self._size > limit:
            return TooLarge.over(limit)
        if not bodies.take(len(data), size=self._size):
            return Crowded.now(bodies.most)
        self._bodies = bodies
        self._held += len(data)
        self._parts.append(data)
        return None

    def refuse(self, error: EmafusionError) -> None:
        """Let the request be answered by an error, whatever else comes of it."""
        self.refusal = self.refusal or error
        self._parts.clear()
        self._size = 0
        self.forget()

    def forget(self) -> None:
        """Hold no memory for the body any more."""
        if self._held and self._bodies is not None:
            self._bodies.free(self._held)
            self._held = 0

    async def handled(self, app: Site) -> None:
        """Have the request, which is whole, answered."""
        if self.admitted is not None:
            body = b"".join(self._parts)
            self._parts.clear()
            request = Request(head=self.head, body=body, key=self.admitted.key)
            await app.handle(request, self.admitted, self)

    @property
    def started(self) -> bool:
        """Whether the status line has left."""
        return self._started

    @property
    def congested(self) -> bool:
        """Whether the client reads more slowly than it is written to."""
        return self._line.congested

    def respond(self, response: Response, /) -> None:
        """Send a whole response."""
        self._started = True
        length = f"content-type: {response.kind}\r\ncontent-length: {len(response.body)}\r\n"
        head = head_of(response.status, response.headers, framing=length + self._ending())
        self._line.send(head if self._is_head() else head + response.body, at_once=True)
        self._end()

    def start(self, headers: Headers, /) -> None:
        """Begin a response of status 200 that comes in pieces."""
        self._started = True
        chunked = "transfer-encoding: chunked\r\n" if self._modern else ""
        framing = chunked + self._ending()
        self._line.send(head_of(200, headers, framing=framing), at_once=False)

    def write(self, data: bytes, /) -> None:
        """Send a piece."""
        if data and not self.done:
            framed = b"%x\r\n%b\r\n" % (len(data), data) if self._modern else data
            self._line.send(framed, at_once=False)

    def finish(self) -> None:
        """All pieces have been written."""
        self._line.send(b"0\r\n\r\n" if self._modern else b"", at_once=True)
        self._end()

    async def drained(self) -> None:
        """Return when the client has caught up."""
        await self._line.drained()

    def _is_head(self) -> bool:
        return self.head.method == "HEAD"

    def _ending(self) -> str:
        return "" if self.keep_alive else "connection: close\r\n"

    def _end(self) -> None:
        self.done = True
        self.forget()
        self._line.answered(self)
