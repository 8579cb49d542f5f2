"""Familiarity: does this query resemble what the estimators learned from?

Queries are compared by sketches: 64 random sums of their words, which keep cosines roughly. The
similarity is the largest cosine to an anchor, a centre of training queries; familiarity is the
probability, fitted by logistic regression, that a query of this similarity comes from the families
learned from and not from a family that was held out whole.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats
from emafusion.estimate.arrays import BUCKETS, AnyArray, Arrays, floats

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
    `intercept`, `slope`: of the logit of familiarity against similarity.
    """

    scale: Floats
    anchors: Floats
    intercept: float
    slope: float

    @classmethod
    def none(cls) -> Familiarity:
        """Nothing is familiar."""
        return cls(scale=np.ones(BUCKETS), anchors=np.zeros((0, SKETCH)), intercept=0.0, slope=0.0)

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Familiarity:
        """Read `router/familiarity/...` of an artifact."""
        logit = floats(arrays, "router/familiarity/logit", (2,))
        return cls(
            scale=floats(arrays, "router/familiarity/scale", (BUCKETS,)),
            anchors=floats(arrays, "router/familiarity/anchors", (-1, SKETCH)),
            intercept=float(logit[0]),
            slope=float(logit[1]),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads; scales and anchors in half precision."""
        return {
            "router/familiarity/scale": self.scale.astype(np.float16),
            "router/familiarity/anchors": self.anchors.astype(np.float16),
            "router/familiarity/logit": np.array([self.intercept, self.slope]),
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


def familiarity_of(state: Familiarity, features: Features) -> float:
    """Familiarity of a query, 0..1; 0 where nothing was learned."""
    if len(state.anchors) == 0:
        return 0.0
    near = float(similarity(state.anchors, sketch(state.scale, features)[None])[0])
    return float(1 / (1 + np.exp(-np.clip(state.intercept + state.slope * near, -30, 30))))
