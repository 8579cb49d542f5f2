"""Bodies of requests: what of them can be told from the head, and how much they are together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Head, TooLarge, WrongEncoding

SMALL_BYTES = 64 * 1024
"""A body up to this size is taken even where there is no room: large ones keep out large ones."""

Kind: TypeAlias = str
"""A media type, without parameters."""

JSON: Kind = "application/json"
FORM: Kind = "multipart/form-data"
_UNSAID: Kind = "application/x-www-form-urlencoded"
"""What curl and Python's urllib say of any body when nobody tells them its type."""


class WrongType(BadInput):
    """The body is said to be something else than this path takes."""

    status = 415
    code = "unsupported_content_type"


class Crowded(BadInput):
    """Bodies of other requests take all the memory that is meant for them."""

    status = 429
    code = "too_many_requests"

    @classmethod
    def now(cls, most: int) -> Crowded:
        """Name the limit, in bytes."""
        what = f"requests under way hold {most:,} bytes of bodies together"
        return cls(f"{what} (gateway.max_bodies_mb); try again")


@dataclass(slots=True, kw_only=True, eq=False)
class Bodies:
    """Bytes of bodies in memory, of all requests together. `most`: the limit for large ones.

    A request holds its bytes until it is answered: what was read of it refers to them.

    >>> bodies = Bodies(most=100_000)
    >>> bodies.take(70_000, size=70_000), bodies.take(70_000, size=70_000)
    (True, False)
    >>> bodies.free(70_000)
    >>> bodies.held
    0
    """

    most: int = 256 * 2**20
    held: int = field(default=0, init=False)

    def take(self, more: int, /, *, size: int) -> bool:
        """Hold some bytes of a body that has `size` now; whether there was room for them."""
        if size > SMALL_BYTES and self.held + more > self.most:
            return False
        self.held += more
        return True

    def free(self, size: int, /) -> None:
        """Hold these bytes no longer."""
        self.held -= size


def check_body(head: Head, limit: int, /, *, kind: Kind, bodies: Bodies) -> None:
    """Refuse a body that need not be read to know that it cannot be taken.

    `limit`: bytes. A body of which no type is told is taken for what is expected; one that is told
    to be something else is not: a browser sends text to any address without asking. (It sends forms
    too, but says from which page: `foreign_page`.)
    """
    headers = head.headers
    encoding = headers.get("content-encoding", "identity")
    if encoding.lower() != "identity":
        what = f"must not be compressed, got {encoding[:40]!r}"
        raise WrongEncoding(what, where="content-encoding")
    told = headers.get("content-length", "")
    size = int(told) if told.isdigit() else 0
    if size > limit:
        raise TooLarge.over(limit)
    if size > SMALL_BYTES and bodies.held + size > bodies.most:
        raise Crowded.now(bodies.most)
    if told != "0":
        _check_type(headers.get("content-type", ""), kind)


def _check_type(given: str, kind: Kind) -> None:
    if not given or given == kind:
        return
    named = given.partition(";")[0].strip().lower()
    is_json = kind == JSON and (named.endswith("+json") or named in ("text/json", _UNSAID))
    if named and named != kind and not is_json:
        raise WrongType(f"expected {kind}, got {named[:80]!r}", where="content-type")
