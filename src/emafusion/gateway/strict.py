"""What a request's head must hold so that no two readers can understand it differently.

The parser refuses most of it (lengths given twice, folded lines, bare line feeds, blanks before a
colon, control characters). The rest is here.
"""

from __future__ import annotations

import re

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Head
from emafusion.gateway.limits import ClientLimits

_HOST = re.compile(r"[\w.~!$&'()*+,;=:%\[\]-]+\Z", re.ASCII)


class NotHttp(BadInput):
    """What came is no request."""


class HeadTooLarge(BadInput):
    """The headers are larger than this gateway takes."""

    status = 431
    code = "headers_too_large"

    @classmethod
    def over(cls, limits: ClientLimits) -> HeadTooLarge:
        """Name the limits."""
        most = f"{limits.head_bytes:,} bytes or more than {limits.headers}"
        return cls(f"the headers are larger than {most}")


class WrongVersion(BadInput):
    """Another HTTP than 1.0 and 1.1."""

    status = 505
    code = "http_version_not_supported"


class WrongExpectation(BadInput):
    """The client expects something else than to be told to go on."""

    status = 417
    code = "expectation_failed"


def wrong_head(head: Head, version: str, /) -> BadInput | None:
    """Say what is wrong with a head; `version` as in the request line, such as `1.1`.

    >>> wrong_head(Head(method="GET", path="/", headers={"host": "a"}), "1.1") is None
    True
    >>> str(wrong_head(Head(method="GET", path="/", headers={}), "1.1"))
    'host: is required'
    """
    if version != "1.1":
        return _wrong_old(head, version)
    headers = head.headers
    host = headers.get("host")
    if host is None:
        return NotHttp("is required", where="host")
    if (head.repeated and "host" in head.repeated) or not _HOST.match(host):
        return NotHttp("must be one name of a host", where="host")
    if "transfer-encoding" in headers and headers["transfer-encoding"].lower() != "chunked":
        return NotHttp("only chunked is understood", where="transfer-encoding")
    if "expect" in headers and headers["expect"].lower() != "100-continue":
        return WrongExpectation("only 100-continue is understood", where="expect")
    return None


def _wrong_old(head: Head, version: str) -> BadInput | None:
    """HTTP/1.0 has no chunks and needs no host."""
    if version != "1.0":
        return WrongVersion("only HTTP/1.1 and HTTP/1.0 are understood")
    if "transfer-encoding" in head.headers:
        return NotHttp("is not in HTTP/1.0", where="transfer-encoding")
    return None
