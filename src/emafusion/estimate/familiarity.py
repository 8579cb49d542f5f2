"""Familiarity: does this query resemble what the estimators learned from?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Features, Floats
from emafusion.estimate.arrays import BUCKETS, AnyArray, Arrays, floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Familiarity:
    """State of the test."""

    seen: Floats

    @classmethod
    def none(cls) -> Familiarity:
        """Nothing is familiar."""
        return cls(seen=np.zeros(BUCKETS))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Familiarity:
        """Read `router/familiarity/...` of an artifact."""
        return cls(seen=floats(arrays, "router/familiarity/seen", (BUCKETS,)))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        return {"router/familiarity/seen": self.seen.astype(np.float16)}


def familiarity_of(state: Familiarity, features: Features) -> float:
    """Familiarity of a query, 0..1."""
    return min(1.0, float((features.weights**2) @ state.seen[features.indices]))
