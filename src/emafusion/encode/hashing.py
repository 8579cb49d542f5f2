"""Hashed word 1-2-grams: text -> sparse vector of norm 1, the same in every process and version.

Words are what remains of the lower-cased text when punctuation is blanked and digits are set to
`0`, so `12` and `37` are one word; scripts without spaces give one word a character. A word's hash
is CRC-32 of its UTF-8 bytes; a pair's hash mixes those of its words.
"""

from __future__ import annotations

import re
import string
from zlib import crc32

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints

BUCKETS = 2**15
"""Number of buckets; indices are in 0..BUCKETS-1."""

HEAD_CHARS, TAIL_CHARS = 6000, 3000
"""Longer texts are cut to this much of their start and end, so that work is bounded."""

_BLANK = string.punctuation.replace("'", "") + string.whitespace
_TABLE = bytes.maketrans(_BLANK.encode() + b"123456789", b" " * len(_BLANK) + b"0" * 9)
_UNSPACED = re.compile("([\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff])")
_UNICODE_BLANK = re.compile(r"[^\w\s\x00-\x7f]")
_FIRST, _SECOND, _MIX = np.uint32(0x9E3779B1), np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_SHIFT, _TO_BUCKET = np.uint32(15), np.uint32(32 - 15)

Words = list[bytes]


def clip(text: str) -> str:
    """Keep the start and the end of a long text.

    >>> len(clip("x" * 1_000_000))
    9001
    """
    if len(text) <= HEAD_CHARS + TAIL_CHARS:
        return text
    return f"{text[:HEAD_CHARS]} {text[-TAIL_CHARS:]}"


def split_words(text: str) -> Words:
    """Cut a text into words, as UTF-8 bytes.

    >>> split_words("It's 12 + 37, isn't it?")
    [b'its', b'00', b'00', b'isnt', b'it']
    """
    lowered = text.lower()
    if not lowered.isascii():
        lowered = _UNSPACED.sub(r" \1 ", _UNICODE_BLANK.sub(" ", lowered))
    return lowered.encode("utf-8", "replace").translate(_TABLE, b"'").split()


def hash_words(parts: tuple[tuple[Words, float], ...]) -> tuple[Ints, Floats]:
    """Hash the 1-2-grams of one or more texts, each with a weight for its counts.

    Returns `indices` int64[k], ascending, and `weights` float64[k]: log2(1 + count), scaled to
    Euclidean norm 1. Both are empty where there is no word.

    >>> indices, weights = hash_words(((split_words("to be or not to be"), 1.0),))
    >>> len(indices), round(float(weights @ weights), 6)
    (8, 1.0)
    """
    hashes = [_ngrams(words) for words, _ in parts]
    buckets = np.concatenate(hashes) if hashes else np.empty(0, np.int64)
    if buckets.size == 0:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    amounts = np.repeat([weight for _, weight in parts], [len(h) for h in hashes])
    order = np.argsort(buckets, kind="stable")
    ordered = buckets[order]
    starts = np.flatnonzero(np.concatenate(([True], ordered[1:] != ordered[:-1])))
    weights = np.log1p(np.add.reduceat(amounts[order], starts))
    return ordered[starts], weights / np.sqrt(weights @ weights)


def _ngrams(words: Words) -> Ints:
    """Buckets of all words and of all pairs of neighbours."""
    one = np.fromiter(map(crc32, words), np.uint32, len(words))
    two = one[:-1] * _FIRST + one[1:] * _SECOND
    return _to_buckets(np.concatenate((one, two)))


def _to_buckets(hashes: npt.NDArray[np.uint32]) -> Ints:
    """Spread 32-bit hashes over the buckets: multiply, fold, multiply, keep the top bits."""
    mixed = hashes * _MIX
    mixed = (mixed ^ (mixed >> _SHIFT)) * _FIRST
    return (mixed >> _TO_BUCKET).astype(np.int64)
