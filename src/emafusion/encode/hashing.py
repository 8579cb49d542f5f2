"""Hashed word 1-2-grams: text -> sparse vector of norm 1, the same in every process and version.

Words are what remains of the lower-cased text when punctuation is blanked and digits are set to
`0`, so `12` and `37` are one word; scripts without spaces give one word a character. A word's hash
is CRC-32 of its UTF-8 bytes; a pair's hash mixes those of its words.
"""

from __future__ import annotations

import re
import string
from itertools import pairwise
from math import fsum, log1p, sqrt
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
_FIRST, _SECOND, _MIX = 0x9E3779B1, 0x85EBCA6B, 0xC2B2AE35
_FOLD = np.uint32(_FIRST)
_SHIFT, _TO_BUCKET = np.uint32(15), np.uint32(32 - 15)
_SPREAD = np.array([[_MIX], [_FIRST * _MIX % 2**32], [_SECOND * _MIX % 2**32]], np.uint32)
"""What a word's hash is multiplied by: alone, as the first of a pair, as the second."""

_ALL = 2**32 - 1
FEW = 40
"""Words up to which plain integers are hashed: a call of numpy costs more than the work it does."""

_MOST_COUNTED = 2 * (HEAD_CHARS + TAIL_CHARS)
_LOG1P = np.log1p(np.arange(_MOST_COUNTED + 1, dtype=np.float64))
"""log(1 + count), for every count that a clipped text can have."""

Words = list[bytes]
Hashes = npt.NDArray[np.uint32]


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
    if len(parts) == 1:
        words = parts[0][0]
        return _few(words) if 0 < len(words) <= FEW else _counted(_ngrams(words))
    buckets = np.concatenate([_ngrams(words) for words, _ in parts])
    if not buckets.size:
        return _NONE
    sizes = [_ngram_count(words) for words, _ in parts]
    amounts = np.repeat([weight for _, weight in parts], sizes)
    order = np.argsort(buckets, kind="stable")
    starts = _starts(buckets := buckets[order])
    weights = np.log1p(np.add.reduceat(amounts[order], starts))
    return buckets[starts].astype(np.int64), weights / np.sqrt(weights @ weights)


_NONE = (np.empty(0, np.int64), np.empty(0, np.float64))


def _few(words: Words) -> tuple[Ints, Floats]:
    """The same as `_counted(_ngrams(words))` for a short text, in plain numbers."""
    hashes = [crc32(word) for word in words]
    mixed = [_MIX * one & _ALL for one in hashes]
    mixed += [_MIX * (_FIRST * one + _SECOND * two) & _ALL for one, two in pairwise(hashes)]
    buckets = sorted([((m ^ m >> 15) * _FIRST & _ALL) >> 17 for m in mixed])
    size = len(buckets)
    counts = dict.fromkeys(buckets, 1)
    if len(counts) == size:
        return np.array(buckets, np.int64), np.full(size, size**-0.5)
    for one, two in pairwise(buckets):
        counts[one] += one == two
    weights = [log1p(count) for count in counts.values()]
    norm = sqrt(fsum([weight * weight for weight in weights]))
    return np.array([*counts], np.int64), np.array([weight / norm for weight in weights])


def _counted(buckets: Hashes) -> tuple[Ints, Floats]:
    """The buckets of one text, each once, and the weights of their counts."""
    size = buckets.size
    if not size:
        return _NONE
    buckets.sort()
    starts = _starts(buckets)
    if starts.size == size:
        return buckets.astype(np.int64), np.full(size, size**-0.5)
    counts = np.empty(starts.size, np.int64)
    counts[-1] = size - starts[-1]
    np.subtract(starts[1:], starts[:-1], out=counts[:-1])
    weights = _LOG1P.take(counts, mode="clip")
    weights /= np.sqrt(weights.dot(weights))
    return buckets.take(starts).astype(np.int64), weights


def _starts(ordered: Hashes) -> Ints:
    """Where a new bucket begins."""
    fresh = np.empty(ordered.size, np.bool_)
    fresh[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=fresh[1:])
    starts: Ints = fresh.nonzero()[0]
    return starts


def _ngram_count(words: Words) -> int:
    return max(2 * len(words) - 1, 0)


def _ngrams(words: Words) -> Hashes:
    """Buckets of all words and of all pairs of neighbours.

    Hashes of 32 bits are spread over the buckets: multiply, fold, multiply, keep the top bits. The
    first multiplication is done on the words, so that a pair needs only a sum.
    """
    count = len(words)
    spread = _SPREAD * np.fromiter(map(crc32, words), np.uint32, count)
    mixed = np.empty(_ngram_count(words), np.uint32)
    mixed[:count] = spread[0]
    np.add(spread[1, :-1], spread[2, 1:], out=mixed[count:])
    mixed ^= mixed >> _SHIFT
    mixed *= _FOLD
    mixed >>= _TO_BUCKET
    return mixed
