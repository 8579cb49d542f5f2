"""The learned view: linear heads on hashed words, labels and counts.

One pass gives, for a query, its difficulty (logits), its place along a few directions in which
models differ (advantage = loadings x place), the log-length of answers, and the scores of the
learned classes. Advantage and difficulty are separate: choosing a model needs the first, deciding
whether to stop the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from emafusion.domain.features import Features, Floats
from emafusion.estimate.arrays import (
    BUCKETS,
    DEPTHS,
    SMALL,
    TASKS,
    AnyArray,
    Arrays,
    Float32s,
    floats,
    pack,
    small_vectors,
    unpack,
)  # fmt: skip

DIFFICULTY, LENGTH, FIRST_DIRECTION = 0, 1, 2
"""Columns of the heads: difficulty, log-length, then directions of advantage, directions of length,
scores of classes."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heads:
    """Weights of all heads.

    `words`: float32[BUCKETS + L, 2 + r + l + c], of hashed and of known words; `small`:
    float64[SMALL, 2 + r + l + c]; `loadings`: float64[n, r], each model's share in each direction
    of advantage; l columns are of lengths, c of classes. `logit`: whether advantages are logits
    (item response theory), else shares of quality. `meaning`: float32[e, 2 + r + l + c], of
    embeddings less their mean `centre`, float32[e]; e is 0 where none are looked at.
    """

    words: Float32s
    small: Floats
    loadings: Floats
    logit: bool = False
    meaning: Float32s = field(default_factory=lambda: np.zeros((0, 0), np.float32))
    centre: Float32s = field(default_factory=lambda: np.zeros(0, np.float32))

    @classmethod
    def stated(cls) -> Heads:
        """Heads for use before anything was learned: deeper queries are harder and longer."""
        small = np.zeros((SMALL, 2))
        depth = slice(TASKS, TASKS + DEPTHS)
        small[depth, DIFFICULTY] = (-1.5, -0.75, 0.0, 0.75, 1.5)
        small[depth, LENGTH] = (3.5, 4.5, 5.3, 6.0, 6.5)
        return cls(words=np.zeros((BUCKETS, 2), np.float32), small=small, loadings=np.zeros((0, 0)))

    @classmethod
    def from_arrays(cls, arrays: Arrays, n_models: int) -> Heads:
        """Read `router/heads/...` of an artifact."""
        loadings = floats(arrays, "router/heads/loadings", (n_models, -1))
        known = arrays.get("encoder/lexicon/words", np.zeros(0))
        stored = floats(arrays, "router/heads/words/bytes", (BUCKETS + len(known), -1))
        columns = stored.shape[1]
        meaning = np.zeros((0, columns))
        if "router/heads/meaning" in arrays:
            meaning = floats(arrays, "router/heads/meaning", (-1, columns))
        centre = floats(arrays, "router/heads/centre", (len(meaning),)) if len(meaning) else 0
        largest = floats(arrays, "router/heads/words/largest", (columns,))
        return cls(
            words=unpack(stored, largest),
            small=floats(arrays, "router/heads/small", (SMALL, columns)),
            loadings=loadings,
            logit="router/heads/logit" in arrays,
            meaning=meaning.astype(np.float32),
            centre=np.zeros(len(meaning), np.float32) + np.asarray(centre, np.float32),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads; words in 8 bits."""
        packed = pack(self.words)
        logit: dict[str, AnyArray] = {"router/heads/logit": np.ones(1)} if self.logit else {}
        meaning: dict[str, AnyArray] = {}
        if len(self.meaning):
            meaning = {"router/heads/meaning": self.meaning, "router/heads/centre": self.centre}
        return {
            **logit,
            **meaning,
            "router/heads/words/bytes": packed["bytes"],
            "router/heads/words/largest": packed["largest"],
            "router/heads/small": self.small,
            "router/heads/loadings": self.loadings,
        }

    @property
    def first_length(self) -> int:
        """First column of the directions of length."""
        return FIRST_DIRECTION + int(self.loadings.shape[1])


def apply_heads(heads: Heads, features: Sequence[Features]) -> Floats:
    """Value of each head on queries: float64[n, 2 + r + l + c]."""
    values = small_vectors(features) @ heads.small
    for i, each in enumerate(features):
        values[i] += each.weights.astype(np.float32) @ heads.words.take(each.indices, axis=0)
        if len(heads.meaning):
            values[i] += meant(heads, each)
    return values


def meant(heads: Heads, features: Features) -> Floats:
    """What the heads make of a query's embedding: float64[2 + r + l + c].

    Zeros where there is none, or one of another length: then its words alone count.
    """
    own = features.embedding
    if own is None or len(own) != len(heads.centre):
        return np.zeros(int(heads.meaning.shape[1]))
    offset: Float32s = own - heads.centre
    told: Floats = np.asarray(np.dot(offset, heads.meaning), dtype=np.float64)
    return told
