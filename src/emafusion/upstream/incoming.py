"""One HTTP/1.1 response, from bytes to head and body. Reads no socket."""

from __future__ import annotations

import httptools

from emafusion.domain.errors import Disconnected, Garbled
from emafusion.upstream.timeouts import Limits


class Incoming:
    """A response as it arrives; informational responses (1xx) before it are skipped.

    `started`: any byte came; `has_head`: status and headers are known; `done`: the body is
    complete; `reusable`: the connection may carry another exchange afterwards.
    `buffered`: bytes of body that nobody has taken yet; `coding`: its content coding, if any;
    `tells_limits`: there are headers about rate limits.
    """

    __slots__ = (
        "_body",
        "_headers",
        "_limits",
        "_parser",
        "_received",
        "_unframed",
        "buffered",
        "coding",
        "done",
        "has_head",
        "reusable",
        "started",
        "status",
        "tells_limits",
    )

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._parser: httptools.HttpResponseParser | None = httptools.HttpResponseParser(self)
        self._headers: list[tuple[bytes, bytes]] = []
        self._body: list[bytes] = []
        self._received = 0
        self._unframed = 0
        self.buffered = 0
        self.status = 0
        self.coding = ""
        self.started = self.has_head = self.done = self.reusable = self.tells_limits = False

    def feed(self, data: bytes, /) -> None:
        """Take the next bytes; raises `Garbled` if they are no HTTP or more than allowed."""
        if self._parser is None:
            self.reusable = False
            return
        self.started = True
        self._unframed += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._reject(error)
        if self.done:
            self._parser = None
        elif self._unframed > self._limits.max_head_bytes:
            raise Garbled(f"sent a head or framing of over {self._limits.max_head_bytes} bytes")

    def end(self, *, broken: bool = False) -> None:
        """The server closed the connection; raises `Disconnected` if the response lacks something.

        `broken`: by an error, not in good order, so that a body without a length is cut short.
        """
        self._parser = None
        if self.done:
            return
        if self.has_head and not broken and not self._has_length():
            self.done = True
            return
        when = "in the middle of the reply" if self.started else "before any reply"
        raise Disconnected(f"closed the connection {when}")

    def headers(self) -> dict[str, str]:
        """Headers of the response, names in lower case; of repeated ones the values joined."""
        headers: dict[str, str] = {}
        for raw_name, raw_value in self._headers:
            name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return headers

    def take(self) -> bytes:
        """Body bytes that came since the last time; empty if none did."""
        body = self._body
        if not body:
            return b""
        data = body[0] if len(body) == 1 else b"".join(body)
        body.clear()
        self.buffered = 0
        return data

    def _has_length(self) -> bool:
        headers = self.headers()
        return "content-length" in headers or "transfer-encoding" in headers

    def _reject(self, error: Exception) -> None:
        """Say what is wrong, unless it only came after the whole response."""
        if self.done:
            self.reusable = False
            return
        if isinstance(error.__context__, Garbled):
            raise error.__context__ from None
        raise Garbled("answered with something that is not HTTP/1.1") from None

    # Called by the parser.

    def on_message_begin(self) -> None:
        """A response begins; a second one was not asked for."""
        self.reusable = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header, or one trailer, which nothing here needs."""
        if self.has_head:
            return
        self._headers.append((name, value))
        if len(name) == 16 and name.lower() == b"content-encoding":
            self.coding = value.decode("latin-1")
        elif not self.tells_limits and b"ratelimit-" in name.lower():
            self.tells_limits = True

    def on_headers_complete(self) -> None:
        """The head is complete."""
        if self._parser is None or self.done:
            return
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self.has_head = True
        else:
            self._headers.clear()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        if self.done:
            return
        self._unframed = 0
        self._received += len(data)
        if self._received > self._limits.max_body_bytes:
            raise Garbled(f"sent a reply of over {self._limits.max_body_bytes} bytes")
        self.buffered += len(data)
        self._body.append(data)

    def on_message_complete(self) -> None:
        """The body is complete."""
        if self.has_head and not self.done and self._parser is not None:
            self.done = True
            self.reusable = self._parser.should_keep_alive()
