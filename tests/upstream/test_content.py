"""Compressed bodies, cut anywhere."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.errors import Garbled
from emafusion.upstream.content import Inflate, decoder_for


@given(st.binary(max_size=500), st.sampled_from([15, 31, -15]), st.integers(1, 40))
def test_a_compressed_body_cut_anywhere_is_the_same(text: bytes, wbits: int, size: int) -> None:
    """zlib, gzip and bare deflate are told apart by their first bytes."""
    packer = zlib.compressobj(wbits=wbits)
    data = packer.compress(text) + packer.flush()
    inflate = Inflate(500)
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    assert b"".join(inflate.decode(piece) for piece in pieces) == text


def test_a_body_just_within_the_limit_passes() -> None:
    """The limit itself is allowed, one byte more is not."""
    assert Inflate(5).decode(gzip.compress(b"12345")) == b"12345"
    with pytest.raises(Garbled, match="too large"):
        Inflate(5).decode(gzip.compress(b"123456"))


def test_broken_compression_is_garbled() -> None:
    """Bytes that are no such coding are said to be broken."""
    with pytest.raises(Garbled, match="broken"):
        Inflate(5).decode(b"\x1f\x8b this is no gzip")


def test_plain_bodies_need_no_decoder() -> None:
    """No coding, or identity, leaves the body alone."""
    assert decoder_for("", 5) is None
    assert decoder_for(" Identity", 5) is None
