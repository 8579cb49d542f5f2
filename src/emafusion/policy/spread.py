"""How far reading an answer will move our belief in it, before it is read.

Confidence r after judging is a random number with mean q, the quality predicted. It is taken as
Beta(q k, (1 - q) k): a small k means judges that tell right from wrong, a large one judges that
say little. For planning two points stand for it, `q - d` and `q + d` of equal chance, with d its
mean deviation. What the judges can tell depends on whose answer they read: one with token
log-probabilities says more than one without. So there is a k for each *legibility* of answers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from emafusion.domain.features import Floats, Ints

RATIO = 0.8
"""Mean over standard deviation, of the normal law."""

LITTLE = 0.1
"""A standard deviation (at q = 0.5) up to which reading is not worth planning for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """`ks`: the k of each legibility. `telling`: whether reading answers of it tells enough."""

    ks: tuple[float, ...]
    telling: tuple[bool, ...]

    def distance(self, quality: Floats, legibility: Ints) -> Floats:
        """Half the distance d of the two points: float64[...] and int64[...] -> float64[...].

        >>> make_spread(60.0, 3.0).distance(np.array([0.5]), np.array([1])).tolist()
        [0.2]
        """
        k = np.array(self.ks)[legibility]
        deviation = RATIO * np.sqrt(quality * (1.0 - quality) / (k + 1.0))
        deviation *= np.array(self.telling)[legibility]
        return np.asarray(np.minimum(deviation, 0.98 * np.minimum(quality, 1.0 - quality)))

    def points(self, quality: float, legibility: int) -> tuple[float, ...]:
        """The points of one candidate; only its quality where reading it tells too little."""
        if not self.telling[legibility]:
            return (quality,)
        deviation = RATIO * sqrt(quality * (1.0 - quality) / (self.ks[legibility] + 1.0))
        distance = min(deviation, 0.98 * min(quality, 1.0 - quality))
        return quality - distance, quality + distance


def make_spread(*ks: float) -> Spread:
    """Take Beta(q k, (1 - q) k) for each `k` > 0, a smaller one for judges that tell more."""
    return Spread(ks=ks, telling=tuple(0.25 / (k + 1.0) > LITTLE**2 for k in ks))
