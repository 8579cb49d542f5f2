"""A response is the same however its bytes are cut."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import Disconnected, Garbled
from emafusion.upstream.incoming import Incoming
from emafusion.upstream.timeouts import Limits

CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\n"
    b"HTTP/1.1 429 Slow Down\r\nRetry-After: 2\r\nx-a: 1\r\nX-A: 2\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
    b"5;ext=1\r\ndata:\r\n7\r\n hello\n\r\n0\r\ntrailer: x\r\n\r\n"
)
SIZED = b"HTTP/1.1 200 OK\r\ncontent-length: 12\r\n\r\ndata: hello\n"


def pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut data at the places given."""
    at = [0, *sorted(cut % len(data) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(at)]


def read(data: list[bytes]) -> Incoming:
    """Feed all pieces."""
    incoming = Incoming(Limits())
    for piece in data:
        incoming.feed(piece)
    return incoming


@given(st.lists(st.integers(0, 10_000), max_size=40))
def test_a_chunked_response_cut_anywhere_is_the_same(cuts: list[int]) -> None:
    """Head, body and end do not depend on where the bytes were cut."""
    incoming = read(pieces(CHUNKED, cuts))
    assert incoming.done
    assert incoming.reusable
    assert incoming.status == 429
    assert incoming.take() == b"data: hello\n"
    assert incoming.headers() == {
        "retry-after": "2",
        "x-a": "1, 2",
        "transfer-encoding": "chunked",
    }


@given(st.integers(0, len(SIZED) - 1), st.booleans())
def test_a_response_cut_short_is_never_whole(at: int, broken: bool) -> None:  # noqa: FBT001 # drawn
    """Wherever the connection ends early, the response is not taken for complete."""
    incoming = read([SIZED[:at]]) if at else Incoming(Limits())
    assert not incoming.done
    with pytest.raises(Disconnected):
        incoming.end(broken=broken)


def test_until_close_ends_in_good_order_only() -> None:
    """A body without a length is whole when the server closes, not when the connection breaks."""
    whole = read([b"HTTP/1.1 200 OK\r\n\r\nbody"])
    whole.end()
    assert whole.done
    assert not whole.reusable
    cut = read([b"HTTP/1.1 200 OK\r\n\r\nbody"])
    with pytest.raises(Disconnected):
        cut.end(broken=True)


def test_what_follows_a_last_response_is_ignored() -> None:
    """After `connection: close` nothing counts; after any other response more bytes end trust."""
    last = b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok"
    for extra in (b"garbage", SIZED):
        for start in (last, SIZED):
            incoming = read([start + extra])
            assert incoming.done
            assert not incoming.reusable
            assert incoming.take() == (b"ok" if start is last else b"data: hello\n")


@given(st.binary(min_size=1, max_size=300))
def test_noise_never_crashes(noise: bytes) -> None:
    """Any bytes are a response, wait for more, or are garbled."""
    incoming = Incoming(Limits())
    try:
        incoming.feed(noise)
        incoming.end()
    except (Garbled, Disconnected):
        return
    assert incoming.done


def test_a_body_is_bounded() -> None:
    """A body over the limit is garbled whichever framing it has."""
    for start in (
        b"content-length: 11\r\n\r\n01234567890",
        b"\r\n01234567890",
        b"transfer-encoding: chunked\r\n\r\nb\r\n01234567890\r\n",
    ):
        incoming = Incoming(Limits(max_body_bytes=10))
        with pytest.raises(Garbled, match="10 bytes"):
            incoming.feed(b"HTTP/1.1 200 OK\r\n" + start)
