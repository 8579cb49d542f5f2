"""Server-sent events: a stream of bytes, cut anywhere, to events, and back.

Format: WHATWG HTML, section 9.2 "Server-sent events". Comments, `id` and `retry` are skipped:
no model API uses them.
"""

from __future__ import annotations

from typing import NamedTuple

_BOM = b"\xef\xbb\xbf"


class SseEvent(NamedTuple):
    """One event; `event` is its type, `message` where the stream gave none."""

    event: str
    data: bytes


class SseParser:
    r"""Cuts a stream of bytes into events.

    Feeding the same bytes in any pieces gives the same events. Lines end in LF, CR LF or CR.
    `waiting`: bytes of the event that is not complete yet.

    >>> parser = SseParser()
    >>> parser.feed(b"data: one\n\nda")
    (SseEvent(event='message', data=b'one'),)
    >>> parser.feed(b"ta: two\r\n\r\n")
    (SseEvent(event='message', data=b'two'),)
    """

    __slots__ = ("_after_cr", "_data", "_event", "_held", "_rest", "_started", "waiting")

    def __init__(self) -> None:
        self.waiting = 0
        self._rest = b""
        self._held: list[bytes] = []
        self._event = ""
        self._data: list[bytes] = []
        self._started = False
        self._after_cr = False

    def feed(self, data: bytes, /) -> tuple[SseEvent, ...]:
        """Take the next bytes and return the events that are complete now."""
        if not self._started:
            data = self._start(data)
        if self._after_cr and data:
            # The CR that ended the last piece already ended its line; this LF belongs to it.
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        self.waiting += len(data)
        if b"\n" not in data:
            # Joined only once its end is there: a long line comes in many pieces.
            self._held.append(data)
            return ()
        if self._held:
            data = b"".join((*self._held, data))
            self._held.clear()
        lines = (self._rest + data).split(b"\n")
        self._rest = lines.pop()
        return tuple(event for line in lines if (event := self._line(line)))

    def close(self) -> tuple[SseEvent, ...]:
        """End the stream: an event whose closing blank line is missing is returned all the same.

        The standard drops it; some servers end their stream that way, and its data is whole.
        """
        rest = b"".join((self._rest, *self._held))
        self._held.clear()
        last = [self._line(rest)] if rest else []
        last.append(self._line(b""))
        self._rest = b""
        return tuple(event for event in last if event)

    def _start(self, data: bytes) -> bytes:
        """Drop a byte order mark at the very start, even if it comes in pieces."""
        data = self._rest + data
        self._rest = b""
        if len(data) < len(_BOM) and _BOM.startswith(data):
            self._rest = data
            return b""
        self._started = True
        return data.removeprefix(_BOM)

    def _line(self, line: bytes) -> SseEvent | None:
        """Take one line; a blank one ends an event."""
        if line.startswith(b"data:"):
            self._data.append(line[6:] if line.startswith(b"data: ") else line[5:])
        elif not line:
            return self._dispatch()
        elif line == b"data":
            self._data.append(b"")
        elif line.startswith(b"event:"):
            self._event = line[6:].removeprefix(b" ").decode("utf-8", "replace")
        elif line == b"event":
            self._event = ""
        return None

    def _dispatch(self) -> SseEvent | None:
        data, event = self._data, self._event
        self._event = ""
        self.waiting = len(self._rest)
        if not data:
            return None
        self._data = []
        return SseEvent(event or "message", b"\n".join(data))


def encode_event(data: bytes, /, *, event: str | None = None) -> bytes:
    r"""Write one event; data with line breaks takes several lines.

    >>> encode_event(b"{}")
    b'data: {}\n\n'
    >>> encode_event(b"{}", event="ping")
    b'event: ping\ndata: {}\n\n'
    """
    if b"\n" in data or b"\r" in data:
        data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        data = data.replace(b"\n", b"\ndata: ")
    if event is None:
        return b"data: %b\n\n" % data
    return b"event: %b\ndata: %b\n\n" % (_one_line(event), data)


def encode_comment(text: str, /) -> bytes:
    r"""Write a comment, which keeps a connection alive and which every client skips.

    >>> encode_comment("judging")
    b': judging\n\n'
    """
    return b": %b\n\n" % _one_line(text)


def _one_line(text: str) -> bytes:
    return text.replace("\r", " ").replace("\n", " ").encode("utf-8", "replace")
