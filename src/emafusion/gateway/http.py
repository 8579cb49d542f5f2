"""HTTP as handlers see it: a request that is whole, and a response whole or in pieces."""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol

from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.store.keys.key import Key

Headers = tuple[tuple[str, str], ...]


class TooLarge(BadInput):
    """The body is larger than this gateway takes."""

    status = 413
    code = "request_too_large"

    @classmethod
    def over(cls, limit: int) -> TooLarge:
        """Name the limit, in bytes."""
        return cls(f"the body is larger than {limit:,} bytes (gateway.max_body_mb)")


class WrongEncoding(BadInput):
    """The body is compressed."""

    status = 415
    code = "unsupported_encoding"


class TooSlow(BadInput):
    """The body did not come in time."""

    status = 408
    code = "request_timeout"


class Head(Struct, frozen=True, kw_only=True, eq=False):
    """What comes before a body.

    `path`: unquoted, without what follows `?`, which is in `parameters` as it came. `headers`:
    names in lower case; `repeated`: names of those that came more than once, of which `headers`
    has the last.
    """

    method: str
    path: str
    headers: dict[str, str]
    repeated: frozenset[str] = frozenset()
    parameters: str = ""


class Request(Struct, frozen=True, kw_only=True, eq=False):
    """One HTTP request. `key`: the gateway key it came with, None where it needed none."""

    head: Head
    body: bytes
    key: Key | None = None

    @property
    def key_id(self) -> str | None:
        """Which key, for whatever is kept by key."""
        return None if self.key is None else self.key.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """A whole response, JSON unless its `kind` (content type) says otherwise."""

    body: bytes
    status: int = 200
    headers: Headers = ()
    kind: str = "application/json"


class Sender(Protocol):
    """Takes the response to one request. Writing never waits: who writes much asks `drained`."""

    @property
    def started(self) -> bool:
        """Whether the status line has left: after that an error cannot be told as one."""
        ...

    @property
    def congested(self) -> bool:
        """Whether the client reads more slowly than it is written to."""
        ...

    def respond(self, response: Response, /) -> None:
        """Send a whole response."""
        ...

    def start(self, headers: Headers, /) -> None:
        """Begin a response of status 200 that comes in pieces."""
        ...

    def write(self, data: bytes, /) -> None:
        """Send a piece."""
        ...

    def finish(self) -> None:
        """All pieces have been written."""
        ...

    async def drained(self) -> None:
        """Return when the client has caught up."""
        ...


_PHRASES = {each.value: each.phrase for each in HTTPStatus}


def head_of(status: int, headers: Headers, /, *, framing: str) -> bytes:
    r"""Write a status line and headers; `framing`: lines that say where the body ends.

    >>> head_of(200, (("x-a", "b"),), framing="content-length: 2\r\n")
    b'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-a: b\r\n\r\n'
    """
    lines = "".join([f"{name}: {one_line(value)}\r\n" for name, value in headers])
    start = f"HTTP/1.1 {status} {_PHRASES.get(status, 'Unknown')}\r\n"
    return f"{start}{framing}{lines}\r\n".encode("latin-1", "replace")


def one_line(value: str) -> str:
    """The value of a header with nothing that would end its line: it may hold a client's words."""
    if value.isprintable():
        return value
    return "".join(c if c.isprintable() else " " for c in value)
