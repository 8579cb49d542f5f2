"""Content codings: we ask for none, some servers send one all the same."""

from __future__ import annotations

import zlib
from typing import Protocol

from emafusion.domain.errors import Garbled


class Decoder(Protocol):
    """Turns a body as sent into the body as meant, piece by piece."""

    def decode(self, data: bytes, /) -> bytes:
        """Take the next bytes; raises `Garbled` if they are no such coding or too many."""
        ...


def decoder_for(coding: str, max_bytes: int, /) -> Decoder | None:
    """Choose by the `content-encoding` header; None where the body is as it stands.

    Raises `Garbled` for a coding that we did not ask for and cannot read.
    """
    coding = coding.strip().lower()
    if coding in ("", "identity"):
        return None
    if coding in ("gzip", "x-gzip", "deflate"):
        return Inflate(max_bytes)
    raise Garbled(f"the reply came in a content coding that was not asked for: {coding[:40]!r}")


class Inflate:
    """gzip, zlib and the bare deflate that some servers send as `deflate`; bounded.

    >>> Inflate(100).decode(zlib.compress(b"hello"))
    b'hello'
    """

    __slots__ = ("_chosen", "_inflater", "_left", "_start")

    def __init__(self, max_bytes: int) -> None:
        self._inflater = zlib.decompressobj()
        self._chosen = False
        self._left = max_bytes
        self._start = b""

    def decode(self, data: bytes, /) -> bytes:
        """Take the next bytes and return what they mean."""
        if not self._chosen:
            data = self._start + data
            self._start = data
            if len(data) < 2:
                return b""
            self._inflater = zlib.decompressobj(wbits=_window(data))
            self._chosen = True
        try:
            # One byte more than is left tells a body that just fits from one that does not.
            text = self._inflater.decompress(data, self._left + 1)
        except zlib.error:
            raise Garbled("the reply's compression is broken") from None
        self._left -= len(text)
        if self._left < 0:
            raise Garbled("the reply is too large once decompressed")
        return text


def _window(start: bytes) -> int:
    """Tell gzip and zlib by their first two bytes (RFC 1952, RFC 1950) from bare deflate."""
    is_zlib = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    is_gzip = start[:2] == b"\x1f\x8b"
    return zlib.MAX_WBITS | 32 if is_zlib or is_gzip else -zlib.MAX_WBITS
