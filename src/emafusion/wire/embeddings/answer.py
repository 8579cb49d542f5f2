"""Vectors as `/v1/embeddings` gives them: numbers, or their bytes in base64."""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Mapping, Sequence
from sys import byteorder
from types import MappingProxyType

import msgspec
from msgspec import Raw

from emafusion.domain.errors import Garbled

Extras = Mapping[str, str | float | int | Raw]
NO_EXTRAS: Extras = MappingProxyType({})


def encode_embeddings(
    vectors: Sequence[Raw],
    /,
    *,
    model: str,
    as_base64: bool,
    prompt_tokens: int | None,
    extras: Extras = NO_EXTRAS,
) -> bytes:
    """Write an answer. Raises `Garbled` for a vector that is neither numbers nor base64."""
    data = [
        {"object": "embedding", "index": n, "embedding": _suited(vector, as_base64=as_base64)}
        for n, vector in enumerate(vectors)
    ]
    tokens = 0 if prompt_tokens is None else prompt_tokens
    fields: dict[str, object] = {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }
    if extras:
        fields["emafusion"] = extras
    return msgspec.json.encode(fields)


def _suited(vector: Raw, *, as_base64: bool) -> object:
    """The vector in the form that was asked for; as it came, where it has that form."""
    if bytes(vector).startswith(b'"') == as_base64:
        return vector
    try:
        return _packed(vector) if as_base64 else _unpacked(vector)
    except (msgspec.MsgspecError, binascii.Error, ValueError, OverflowError):
        raise Garbled("upstream's vector cannot be read") from None


def _packed(vector: Raw) -> str:
    """Numbers as little-endian 32-bit floats in base64."""
    numbers = array("f", msgspec.json.decode(vector, type=list[float]))
    if byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()


def _unpacked(vector: Raw) -> list[float]:
    """The numbers again."""
    numbers = array("f")
    numbers.frombytes(base64.b64decode(msgspec.json.decode(vector, type=str), validate=True))
    if byteorder == "big":
        numbers.byteswap()
    return numbers.tolist()
