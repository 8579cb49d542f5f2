"""The learned view: linear heads on hashed words, labels and counts.

One pass gives, for a query, its difficulty (logits), its place along a few directions in which
models differ (advantage = loadings x place), and the log-length of answers. Advantage and
difficulty are separate: choosing a model needs the first, deciding whether to stop the second.
"""

from __future__ import annotations

from dataclasses import dataclass

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
    small_vector,
    unpack,
)  # fmt: skip

DIFFICULTY, LENGTH, FIRST_DIRECTION = 0, 1, 2
"""Columns of the heads: difficulty, log-length, then the directions of advantage."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Heads:
    """Weights of all heads.

    `words`: float32[BUCKETS, 2 + r]; `small`: float64[SMALL, 2 + r]; `loadings`: float64[n, r],
    each model's share in each direction of advantage.
    """

    words: Float32s
    small: Floats
    loadings: Floats

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
        columns = FIRST_DIRECTION + loadings.shape[1]
        stored = floats(arrays, "router/heads/words/bytes", (BUCKETS, columns))
        largest = floats(arrays, "router/heads/words/largest", (columns,))
        return cls(
            words=unpack(stored, largest),
            small=floats(arrays, "router/heads/small", (SMALL, columns)),
            loadings=loadings,
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads; words in 8 bits."""
        packed = pack(self.words)
        return {
            "router/heads/words/bytes": packed["bytes"],
            "router/heads/words/largest": packed["largest"],
            "router/heads/small": self.small,
            "router/heads/loadings": self.loadings,
        }


def apply_heads(heads: Heads, features: Features) -> Floats:
    """Value of each head on a query: float64[2 + r]."""
    small = small_vector(features.labels, features.counts) @ heads.small
    words = features.weights.astype(np.float32) @ heads.words.take(features.indices, axis=0)
    return small + words
