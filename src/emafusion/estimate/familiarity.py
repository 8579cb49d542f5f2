"""Familiarity: does this query resemble what the estimators learned from?

It is the probability, fitted by logistic regression on how strongly the class heads speak, that a
query comes from the families learned from and not from a family that was held out whole. A query
that comes with the name of a known class is familiar.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.arrays import AnyArray, Arrays, floats
from emafusion.estimate.hybrid import sigmoid


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Familiarity:
    """`curve`: float64[2], intercept and slope (>= 0) of the logit; empty: nothing is familiar."""

    curve: Floats

    @classmethod
    def none(cls) -> Familiarity:
        """Nothing is familiar."""
        return cls(curve=np.zeros(0))

    @classmethod
    def from_arrays(cls, arrays: Arrays) -> Familiarity:
        """Read `router/familiarity/curve` of an artifact."""
        return cls(curve=floats(arrays, "router/familiarity/curve", (-1,)))

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        return {"router/familiarity/curve": self.curve}


def familiarity_of(state: Familiarity, strength: Floats) -> Floats:
    """Familiarity of queries, 0..1: float64[n]; 0 where nothing was learned.

    >>> familiarity_of(Familiarity(curve=np.array([-3.0, 6.0])), np.array([0.0, 1.0])).round(2)
    array([0.05, 0.95])
    """
    if len(state.curve) == 0:
        return np.zeros(len(strength))
    return sigmoid(state.curve[0] + state.curve[1] * strength)
