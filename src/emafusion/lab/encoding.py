"""Ways to read a query, by what a user calls them: `hashed`, or `static:FILE` besides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features
from emafusion.domain.query import Query
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.hashing import BUCKETS
from emafusion.encode.lexicon import Lexicon
from emafusion.estimate.arrays import AnyArray, Float32s
from emafusion.learn.word_vectors import read_word_vectors

HASHED = "hashed"
STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Queries as one encoder reads them.

    `name`: as the card tells it; `vectors`: float32[L, e], of the words that it knows, None where
    it knows none; `arrays`: what an artifact must hold to read queries the same way.
    """

    name: str
    features: tuple[Features, ...]
    vectors: Float32s | None
    arrays: dict[str, AnyArray]


def check_encoders(names: Sequence[str]) -> None:
    """Raise `BadInput` for a name that is no encoder's."""
    for name in names:
        kind, _, rest = name.partition(":")
        if kind not in READERS or (kind == HASHED) == bool(rest):
            told = f"'{name[:80]}' is no encoder; there are hashed and static:FILE"
            raise BadInput(told, where="--encoder")


def encoded(name: str, queries: Sequence[Query], plain: HashEncoder) -> Encoded:
    """Read queries by an encoder. Raises `BadInput` where it is none or cannot be had.

    `plain`: the encoder by hashed words alone.
    """
    check_encoders((name,))
    kind, _, rest = name.partition(":")
    return READERS[kind](rest, queries, plain)


def _hashed(_rest: str, queries: Sequence[Query], plain: HashEncoder) -> Encoded:
    features = tuple(map(plain.encode, queries))
    return Encoded(name=HASHED, features=features, vectors=None, arrays={})


def _static(rest: str, queries: Sequence[Query], plain: HashEncoder) -> Encoded:
    """Known words weigh as they are rare among the queries, so they are looked up twice."""
    path = Path(rest)
    words, vectors = read_word_vectors(path)
    even = Lexicon(words=words, rarity=np.ones(len(words)))
    seen = np.zeros(len(words))
    reader = plain.knowing(even)
    for query in queries:
        indices = reader.encode(query).indices
        seen[indices[indices >= BUCKETS] - BUCKETS] += 1
    lexicon = Lexicon(words=words, rarity=np.log((len(queries) + 1) / (seen + 1)) + 0.1)
    return Encoded(
        name=f"{STATIC}:{path.name} ({len(words):,} words)",
        features=tuple(map(plain.knowing(lexicon).encode, queries)),
        vectors=vectors,
        arrays=lexicon.to_arrays(),
    )


Reader = Callable[[str, Sequence[Query], HashEncoder], Encoded]
READERS: dict[str, Reader] = {HASHED: _hashed, STATIC: _static}
"""Kinds of encoders: (what follows the colon, queries, plain encoder) -> queries as it reads."""
