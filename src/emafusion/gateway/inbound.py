"""Requests off the bytes of a connection: heads, pieces of bodies, ends. Reads no socket."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import unquote

import httptools

from emafusion.domain.errors import BadInput
from emafusion.gateway.http import Head
from emafusion.gateway.limits import ClientLimits
from emafusion.gateway.strict import HeadTooLarge, wrong_head


class Listener(Protocol):
    """Hears what comes."""

    def head_came(self, head: Head, /, *, modern: bool, keep_alive: bool) -> None:
        """A head is whole. `modern`: HTTP/1.1; `keep_alive`: another request may follow."""
        ...

    def head_refused(self, head: Head, wrong: BadInput, /) -> None:
        """A head is whole and wrong, so that nothing after it can be understood."""
        ...

    def body_came(self, data: bytes, /) -> None:
        """A piece of its body."""
        ...

    def request_came(self) -> None:
        """The request is whole."""
        ...


class Inbound:
    """Reads requests one after the other.

    `in_head`: one has begun, or the first is awaited; `heads`: how many were whole; `framing`:
    bytes that came since the last one of a body.
    """

    __slots__ = (
        "_headers", "_limits", "_listener", "_parser", "_upgrade", "_url",
        "framing", "heads", "in_head",
    )  # fmt: skip

    def __init__(self, listener: Listener, limits: ClientLimits) -> None:
        self.in_head = True
        self.heads = self.framing = 0
        self._limits = limits
        self._listener = listener
        self._parser = httptools.HttpRequestParser(self)
        self._url = b""
        self._headers: list[tuple[bytes, bytes]] = []
        self._upgrade = False

    def feed(self, data: bytes, /) -> None:
        """Take the next bytes; raises `httptools.HttpParserError` if they are no HTTP."""
        self.framing += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as error:
            self._stay(data[error.args[0] :])

    def _stay(self, rest: bytes) -> None:
        """Stay with HTTP/1.1, which whoever offers something newer understands as well.

        Many a client does in its first request. The parser has stopped behind the head, so the
        same head without the offer is read once more, then what came after it.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            raise httptools.HttpParserInvalidMethodError("CONNECT")
        lines = [b"%b: %b\r\n" % pair for pair in self._headers if pair[0].lower() != b"upgrade"]
        head = b"%b %b HTTP/1.1\r\n%b\r\n" % (method, self._url, b"".join(lines))
        self._parser = httptools.HttpRequestParser(self)
        self._upgrade = False
        self._parser.feed_data(head + rest)

    # Called by the parser.

    def on_message_begin(self) -> None:
        """A request begins."""
        self.in_head = True
        self._url = b""
        self._headers = []

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer, which nothing here needs."""
        if self.in_head:
            self._headers.append((name, value))

    def on_headers_complete(self) -> None:
        """The head is whole."""
        parser = self._parser
        if parser.should_upgrade():
            self._upgrade = True
            return
        self.in_head = False
        self.heads += 1
        head = _head(parser.get_method(), self._url, self._headers)
        version = parser.get_http_version()
        wrong = self._too_large() or wrong_head(head, version)
        if wrong is not None:
            self._listener.head_refused(head, wrong)
            return
        modern = version == "1.1"
        self._listener.head_came(
            head, modern=modern, keep_alive=modern and parser.should_keep_alive()
        )

    def _too_large(self) -> HeadTooLarge | None:
        """Whether a head that came whole is over the limits; few are near enough to be counted."""
        most, raw = self._limits, self._headers
        if len(raw) <= most.headers and self.framing <= most.head_bytes:
            return None
        size = len(self._url) + sum(len(name) + len(value) + 4 for name, value in raw)
        over = size > most.head_bytes or len(raw) > most.headers
        return HeadTooLarge.over(most) if over else None

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self.framing = 0
        self._listener.body_came(data)

    def on_message_complete(self) -> None:
        """The request is whole."""
        if not self._upgrade:
            self._listener.request_came()


def _head(method: bytes, url: bytes, raw: list[tuple[bytes, bytes]]) -> Head:
    headers = {n.decode("latin-1").lower(): v.decode("latin-1") for n, v in raw}
    repeated = frozenset[str]()
    if len(headers) < len(raw):
        names = [name.decode("latin-1").lower() for name, _ in raw]
        repeated = frozenset(name for name in headers if names.count(name) > 1)
    return Head(
        method=method.decode(),
        path=path_of(url),
        headers=headers,
        repeated=repeated,
        parameters=url.partition(b"?")[2].decode("latin-1") if b"?" in url else "",
    )


def path_of(url: bytes, /) -> str:
    """The path of a request's address, unquoted.

    >>> path_of(b"/v1/models/a%20b?x=1"), path_of(b"http://host:1/v1/models")
    ('/v1/models/a b', '/v1/models')
    """
    path = url.decode("latin-1").partition("?")[0].partition("#")[0]
    if not path.startswith("/") and "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return unquote(path) if "%" in path else path
