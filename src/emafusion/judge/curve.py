"""A judge's value -> log-odds: a monotone curve of straight pieces."""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats

LIMIT = 6.0
"""No probability is taken as surer than this log-odds (.9975)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """Knots `x` ascending in 0..1 and `y` (log-odds) never falling; flat beyond both ends.

    >>> Curve(x=(0.0, 1.0), y=(-1.0, 1.0)).at(0.75)
    0.5
    """

    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        """Hold the invariant that makes the panel monotone."""
        ordered = all(b > a for a, b in zip(self.x, self.x[1:], strict=False))
        rising = all(b >= a for a, b in zip(self.y, self.y[1:], strict=False))
        if not (
            self.x
            and len(self.x) == len(self.y)
            and ordered
            and rising
            and all(map(math.isfinite, self.x + self.y))
        ):
            msg = "knots must be finite, x ascending, y never falling"
            raise BadInput(msg, where="panel/curve")

    def at(self, value: float) -> float:
        """Log-odds at a judge's value."""
        x, y = self.x, self.y
        if value <= x[0]:
            return y[0]
        if value >= x[-1]:
            return y[-1]
        k = bisect_right(x, value)
        share = (value - x[k - 1]) / (x[k] - x[k - 1])
        return y[k - 1] + share * (y[k] - y[k - 1])

    def as_array(self) -> Floats:
        """float64[2, knots]: x, then y."""
        return np.array((self.x, self.y), dtype=np.float64)


def curve_of(array: Floats) -> Curve:
    """The curve in an artifact's float64[2, knots]."""
    if array.ndim != 2 or array.shape[0] != 2:  # x and y
        msg = f"must be float64[2, knots], got shape {array.shape}"
        raise BadInput(msg, where="panel/curve")
    return Curve(x=tuple(map(float, array[0])), y=tuple(map(float, array[1])))


def logit(probability: float) -> float:
    """Log-odds within -6..6.

    >>> logit(0.5), logit(1.0)
    (0.0, 6.0)
    """
    if probability <= 0.0 or probability >= 1.0:
        return LIMIT if probability >= 1.0 else -LIMIT
    return max(-LIMIT, min(LIMIT, math.log(probability / (1.0 - probability))))


def sigmoid(log_odds: float) -> float:
    """Probability of log-odds, strictly inside 0..1 for any finite input of sane size."""
    return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, log_odds))))
