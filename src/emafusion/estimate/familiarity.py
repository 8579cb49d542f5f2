"""Familiarity: does this query resemble what the estimators learned from?

Queries are compared by sketches: 64 random sums of their words, which keep cosines roughly. The
similarity is the largest cosine to an anchor, a centre of training queries; the support is how many
training queries had its task and domain. Familiarity is the probability, fitted by logistic
regression on both, that a query comes from the families learned from and not from a family that was
held out whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats
from emafusion.estimate.arrays import BUCKETS, DEPTHS, DOMAINS, TASKS, AnyArray, Arrays, floats

SKETCH = 64
"""Length of a sketch."""

_GAMMA, _MIX = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9)


def _signs() -> npt.NDArray[np.uint8]:
    """Random bits of every bucket, the same everywhere: uint8[BUCKETS, 8]."""
    bits = (np.arange(1, BUCKETS + 1, dtype=np.uint64)) * _GAMMA
    for shift in (30, 27, 31):
        bits = (bits ^ (bits >> np.uint64(shift))) * _MIX
    return bits.astype("<u8").view(np.uint8).reshape(BUCKETS, 8)


_SIGNS = _signs()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Familiarity:
    """State of the test.

    `scale`: float64[BUCKETS], how telling each word is; `anchors`: float64[k, 64], of norm 1;
    `support`: float64[TASKS, DOMAINS], log(1 + training queries) of each cell over that of all;
    `curve`: float64[3], intercept and slopes of the logit on similarity and support.
    """

    scale: Floats
    anchors: Floats
    support: Floats
    curve: Floats

    @classmethod
    def none(cls) -> Familiarity:
        """Nothing is familiar."""
        return cls(
            scale=np.ones(BUCKETS),
            anchors=np.zeros((0, SKETCH)),
            support=np.zeros((TASKS, DOMAINS)),
            curve=np.zeros(3),
        )

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Familiarity:
        """Read `router/familiarity/...` of an artifact."""
        return cls(
            scale=floats(arrays, "router/familiarity/scale", (BUCKETS,)),
            anchors=floats(arrays, "router/familiarity/anchors", (-1, SKETCH)),
            support=floats(arrays, "router/familiarity/support", (TASKS, DOMAINS)),
            curve=floats(arrays, "router/familiarity/curve", (3,)),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads; scales and anchors in half precision."""
        return {
            "router/familiarity/scale": self.scale.astype(np.float16),
            "router/familiarity/anchors": self.anchors.astype(np.float16),
            "router/familiarity/support": self.support.astype(np.float32),
            "router/familiarity/curve": self.curve,
        }


def sketch(scale: Floats, features: Features) -> Floats:
    """Sketch of a query: float64[64], of norm 1 (or zeros without words)."""
    weights = features.weights * scale[features.indices]
    bits = np.unpackbits(_SIGNS[features.indices], axis=1)
    sums: Floats = 2 * (weights @ bits) - weights.sum()
    return sums / max(float(np.sqrt(sums @ sums)), 1e-12)


def similarity(anchors: Floats, sketches: Floats) -> Floats:
    """Largest cosine to an anchor: float64[n]; -1 where there is no anchor."""
    if len(anchors) == 0:
        return np.full(len(sketches), -1.0)
    nearest: Floats = (sketches @ anchors.T).max(axis=1)
    return nearest


def support_of(cells: npt.NDArray[np.float32]) -> Floats:
    """Support of each task and domain: float64[TASKS, DOMAINS] in 0..1.

    `cells`: float32[n, CELLS], `cell_weights` of the training queries.
    """
    queries = cells.sum(axis=0, dtype=np.float64).reshape(TASKS, DEPTHS, DOMAINS).sum(axis=1)
    support: Floats = np.log1p(queries) / np.log1p(max(len(cells), 1))
    return support


def closeness(
    known: tuple[Floats, Floats], sketches: Floats, cells: npt.NDArray[np.float32]
) -> Floats:
    """Similarity and support of queries: float64[n, 2].

    `known`: anchors and support; `cells`: float32[n, CELLS] of the queries.
    """
    anchors, support = known
    pairs = cells.reshape(-1, TASKS, DEPTHS, DOMAINS).sum(axis=2)
    supported = np.einsum("ntd,td->n", pairs.astype(np.float64), support)
    return np.stack((similarity(anchors, sketches), supported), axis=1)


def familiarity_of(state: Familiarity, features: Features) -> float:
    """Familiarity of a query, 0..1; 0 where nothing was learned."""
    if len(state.anchors) == 0:
        return 0.0
    labels = features.labels
    near = float((state.anchors @ sketch(state.scale, features)).max())
    supported = float(labels.task @ state.support @ labels.domain)
    logit = float(state.curve @ np.array((1.0, near, supported)))
    return 1 / (1 + exp(-min(max(logit, -30.0), 30.0)))
