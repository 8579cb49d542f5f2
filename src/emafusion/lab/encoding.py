"""Ways to read a query, by what a user calls them.

hashed          words alone, hashed
static:FILE     and a table of word vectors, see `learn.word_vectors`
endpoint:NAME   and an embedding model of the config
onnx:FOLDER     and an ONNX sentence encoder
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from emafusion.build.meaning import ENDPOINT, ONNX
from emafusion.build.parts import EMBEDDING
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features
from emafusion.domain.query import Query
from emafusion.encode.encoder import HashEncoder
from emafusion.encode.hashing import BUCKETS
from emafusion.encode.lexicon import Lexicon
from emafusion.estimate.arrays import AnyArray, Float32s
from emafusion.lab.meanings import VectorsOf, meant
from emafusion.learn.word_vectors import read_word_vectors

HASHED = "hashed"
STATIC = "static"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Encoded:
    """Queries as one encoder reads them.

    `name`: as the card tells it; `vectors`: float32[L, e], of the words that it knows, None where
    it knows none; `queries`: with the vectors that they were read by; `arrays`: what an artifact
    must hold to read queries the same way.
    """

    name: str
    features: tuple[Features, ...]
    vectors: Float32s | None
    queries: tuple[Query, ...]
    arrays: dict[str, AnyArray]


def check_encoders(names: Sequence[str]) -> None:
    """Raise `BadInput` for a name that is no encoder's."""
    for name in names:
        kind, _, rest = name.partition(":")
        if kind not in READERS or (kind == HASHED) == bool(rest):
            told = f"'{name[:80]}' is no encoder; there are hashed, static:FILE, endpoint:NAME"
            told += " and onnx:FOLDER"
            raise BadInput(told, where="--encoder")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Means:
    """What reading takes: the encoder by hashed words alone, and who knows vectors of prompts.

    `ask`: by the name of an encoder outside the package, vectors of queries.
    """

    plain: HashEncoder
    ask: VectorsOf


def encoded(name: str, queries: Sequence[Query], means: Means) -> Encoded:
    """Read queries by an encoder. Raises `BadInput` where it is none or cannot be had."""
    check_encoders((name,))
    return READERS[name.partition(":")[0]](name, queries, means)


def _hashed(_name: str, queries: Sequence[Query], means: Means) -> Encoded:
    features = tuple(map(means.plain.encode, queries))
    return Encoded(name=HASHED, features=features, vectors=None, queries=tuple(queries), arrays={})


def _meant(name: str, queries: Sequence[Query], means: Means) -> Encoded:
    """By an encoder outside, whose vectors come with the queries."""
    told = meant(queries, means.ask(name, queries))
    return Encoded(
        name=name,
        features=tuple(map(means.plain.encode, told)),
        vectors=None,
        queries=told,
        arrays={EMBEDDING: np.array([name])},
    )


def _static(name: str, queries: Sequence[Query], means: Means) -> Encoded:
    """Known words weigh as they are rare among the queries, so they are looked up twice."""
    path = Path(name.partition(":")[2])
    words, vectors = read_word_vectors(path)
    even = Lexicon(words=words, rarity=np.ones(len(words)))
    seen = np.zeros(len(words))
    reader = means.plain.knowing(even)
    for query in queries:
        indices = reader.encode(query).indices
        seen[indices[indices >= BUCKETS] - BUCKETS] += 1
    lexicon = Lexicon(words=words, rarity=np.log((len(queries) + 1) / (seen + 1)) + 0.1)
    return Encoded(
        name=f"{STATIC}:{path.name} ({len(words):,} words)",
        features=tuple(map(means.plain.knowing(lexicon).encode, queries)),
        vectors=vectors,
        queries=tuple(queries),
        arrays=lexicon.to_arrays(),
    )


READERS: Mapping[str, Callable[[str, Sequence[Query], Means], Encoded]] = {
    HASHED: _hashed, STATIC: _static, ENDPOINT: _meant, ONNX: _meant,
}  # fmt: skip
"""Kinds of encoders: (name, queries, means) -> the queries as it reads them."""
