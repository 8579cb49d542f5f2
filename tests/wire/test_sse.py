"""Server-sent events: cutting and framing."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from emafusion.wire.sse import SseEvent, SseParser, encode_comment, encode_event

STREAM = (
    b"\xef\xbb\xbf: hello\r\n\r\nevent: a\rdata: 1\r\rdata: two\ndata:lines\n\nid: 7\nretry: 1\n\n"
    b"data\n\nevent: lost\n\ndata:  padded\r\ndata: \xc3\xa9\r\n\r\n"
)
EVENTS = (
    SseEvent("a", b"1"),
    SseEvent("message", b"two\nlines"),
    SseEvent("message", b""),
    SseEvent("message", b" padded\n\xc3\xa9"),
)


def parsed(pieces: list[bytes]) -> tuple[SseEvent, ...]:
    """Feed the pieces and close."""
    parser = SseParser()
    events = [event for piece in pieces for event in parser.feed(piece)]
    return (*events, *parser.close())


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut the data at the places."""
    marks = sorted({place % (len(data) + 1) for place in places})
    return [data[a:b] for a, b in zip([0, *marks], [*marks, len(data)], strict=True)]


def test_a_stream_decodes_as_the_standard_says() -> None:
    """Comments, ids, byte order mark, all three line ends, several data lines, empty data."""
    assert parsed([STREAM]) == EVENTS


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=40))
@example(list(range(len(STREAM))))
def test_any_cut_decodes_the_same(places: list[int]) -> None:
    """Where the network cuts the stream makes no difference."""
    assert parsed(cut(STREAM, places)) == EVENTS


@given(
    st.lists(
        st.sampled_from([b"data: x", b"data:", b"event: e", b"\r", b"\n", b":c", b"", b"\xef"])
    ),
    st.lists(st.integers(min_value=0, max_value=10_000), max_size=20),
)
def test_any_bytes_cut_anywhere_decode_the_same(parts: list[bytes], places: list[int]) -> None:
    """The same holds for streams that make no sense."""
    data = b"".join(parts)
    assert parsed(cut(data, places)) == parsed([data])


@given(st.binary())
def test_what_is_framed_is_read_back(data: bytes) -> None:
    """Data survives framing; line breaks inside it become plain newlines."""
    plain = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert parsed([encode_event(data)]) == (SseEvent("message", plain),)
    assert parsed([encode_event(data, event="x")]) == (SseEvent("x", plain),)


@given(st.text())
def test_a_comment_is_never_an_event(text: str) -> None:
    """No text can break out of its comment."""
    assert parsed([encode_comment(text)]) == ()


def test_an_unclosed_event_is_not_lost() -> None:
    """A server that leaves out the last blank line is understood."""
    parser = SseParser()
    assert parser.feed(b"data: [DONE]") == ()
    assert parser.close() == (SseEvent("message", b"[DONE]"),)
    assert parser.close() == ()
