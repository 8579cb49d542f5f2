"""An answer beside the other answers to its query: how far it is ahead of the best of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats

PREFIX = "beside/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """Log-odds of an answer, with what the judges make of the other answers to its query.

    `shift + slope x own - rival x (best of the others)`: judges that are lenient on one query are
    lenient on all its answers, and where one answer is right the others are mostly wrong. Both show
    in labels only, per task, so without them this is 0, 1 and 0. `slope`, `rival` >= 0. `least`,
    `most`: how many answers a query had when it was learned; elsewhere it says nothing.

    >>> Beside(shift=0.0, slope=2.0, rival=2.0, least=2, most=4).odds(0.5, [-1.0, 0.1])
    0.8
    """

    shift: float
    slope: float
    rival: float
    least: int
    most: int

    def is_for(self, answers: int) -> bool:
        """Whether it was learned on queries with so many answers."""
        return self.least <= answers <= self.most

    def odds(self, own: float, others: Sequence[float]) -> float:
        """Log-odds of an answer from its own and those of the other answers to its query."""
        if not others or not self.is_for(len(others) + 1):
            return own
        return self.shift + self.slope * own - self.rival * max(others)

    def as_array(self) -> Floats:
        """float64[5]: shift, slope, rival, least, most."""
        return np.array([self.shift, self.slope, self.rival, self.least, self.most], np.float64)


NOTHING = Beside(shift=0.0, slope=1.0, rival=0.0, least=2, most=2)
"""The other answers tell nothing."""


def besides_of(parts: Mapping[str, Floats]) -> dict[str, Beside]:
    """Read the arrays `beside/TASK`; raises `BadInput` on a wrong shape or a negative weight."""
    found: dict[str, Beside] = {}
    for key, array in parts.items():
        if not key.startswith(PREFIX):
            continue
        if array.shape != (5,) or not np.isfinite(array).all() or (array[1:] < 0).any():
            raise BadInput("must be a shift and four numbers >= 0", where=f"panel/{key}")
        shift, slope, rival, least, most = array.tolist()
        found[key[len(PREFIX) :]] = Beside(
            shift=shift, slope=slope, rival=rival, least=int(least), most=int(most)
        )
    return found
