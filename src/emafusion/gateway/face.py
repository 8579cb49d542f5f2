"""A face: one API as clients speak it. What is behind it is the same for all.

To add one: a class with what `Face` asks for, and its rows in `app.ROUTES` with
`answering(YourFace())` as their handler. Errors are then told in its shape, also those that come
up before any handler is asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.facts import Facts
from emafusion.gateway.http import Head, Headers, Request

EVENTS: Headers = (
    ("content-type", "text/event-stream; charset=utf-8"),
    ("cache-control", "no-cache"),
    ("x-accel-buffering", "no"),
)
"""Headers of a stream of events."""


class StreamWriter(Protocol):
    """Writes one stream of one answer, framed and ready to send; made anew for each."""

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see.

        What closes the answer is held back until `final`: the outcome is logged before it.
        """
        ...

    def final(self, reply: Reply, told: Facts, /) -> bytes:
        """Write what is left: how it ended, the usage of the whole answer, our facts, the end."""
        ...

    def error(self, error: EmafusionError, /) -> bytes:
        """Write that the answer broke off, so that nobody takes what came for all of it."""
        ...

    def waiting(self) -> bytes:
        """Write something that every client skips, to keep the connection alive."""
        ...


class Face(Protocol):
    """One API as clients speak it. Without state: one instance serves every request."""

    @property
    def stream_headers(self) -> Headers:
        """Headers of an answer that comes in pieces, its content type among them."""
        ...

    def query(self, request: Request, /, *, query_id: str) -> Query:
        """Read a request. Raises `BadInput` with the field that is wrong."""
        ...

    def whole(self, reply: Reply, outcome: Outcome, told: Facts, /) -> bytes:
        """Write the body of a whole answer; `told`: our own facts, which it holds too."""
        ...

    def deltas(self, reply: Reply, /) -> tuple[Delta, ...]:
        """Cut a reply that was held back into what the stream writer takes, losing nothing."""
        ...

    def writer(self, query: Query, /, *, created: int, model: str) -> StreamWriter:
        """Make the writer of one stream. `created`: Unix seconds; `model`: who is answering."""
        ...

    def error(self, error: EmafusionError, /) -> tuple[int, bytes]:
        """HTTP status and body of an error. Also of one that no request of this API came to."""
        ...

    def credentials(self, head: Head, /) -> Mapping[str, str]:
        """The headers to look for a gateway key in, as `Authorization` or `x-api-key`."""
        ...

    def headers(self, told: Facts, /) -> Headers:
        """Our facts as response headers, with those that this API's clients look for."""
        ...
