"""One HTTP request as bytes, with no way for a value to smuggle in a line of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from emafusion.domain.errors import BadInput
from emafusion.upstream.address import Server
from emafusion.upstream.proxy import Proxy

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*\Z")
_TARGET = re.compile(r"/[!-~]*\Z")

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpRequest:
    """A request to one server; `target` is path and query. Headers may hold a key: never shown."""

    method: str = "POST"
    target: str
    headers: Headers = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)


def check_headers(headers: Headers, /) -> None:
    """Raise `BadInput` for a header that cannot be sent, without showing its value."""
    for name, value in headers:
        if not _NAME.match(name):
            raise BadInput("is no name for a header", where=repr(name))
        if not _VALUE.match(value):
            raise BadInput(
                "a header's value must be one line of Latin-1 text without control characters",
                where=name,
            )


def encode_head(request: HttpRequest, server: Server, proxy: Proxy | None = None, /) -> bytes:
    """Write the request line and the headers; an http proxy gets the whole address.

    Raises `BadInput` for a target or header that would break the framing.
    """
    return end_head(encode_fixed(request, server, proxy), request)


def encode_fixed(request: HttpRequest, server: Server, proxy: Proxy | None, /) -> bytes:
    """Write all of a head that does not depend on the body, so that it can be used again.

    Raises `BadInput` like `encode_head`.
    """
    if not _TARGET.match(request.target):
        raise BadInput("must start with / and hold visible ASCII characters only", where="target")
    check_headers(request.headers)
    target = request.target
    lines = [f"host: {server.authority}"]
    if proxy is not None and server.scheme == "http":
        target = f"http://{server.authority}{target}"
        if proxy.authorization:
            lines.append(f"proxy-authorization: {proxy.authorization}")
    lines += [f"{name}: {value}" for name, value in request.headers]
    return "\r\n".join((f"{request.method} {target} HTTP/1.1", *lines, "")).encode("latin-1")


def end_head(fixed: bytes, request: HttpRequest, /) -> bytes:
    """Complete a head by the length of the body."""
    if request.body or request.method == "POST":
        return b"%bcontent-length: %d\r\n\r\n" % (fixed, len(request.body))
    return fixed + b"\r\n"
