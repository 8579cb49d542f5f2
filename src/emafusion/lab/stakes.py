"""When to stop hearing judges: by what a right answer is worth, or by what may be spent."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import accumulate
from math import inf
from typing import Self


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What hangs on a judgement: an answer is taken if it is right with `threshold` or more.

    `value_usd`: what a right one is worth; `threshold`: None where any is as likely. Judges are
    asked one after another as long as any may change on which side of the threshold the answer is
    by more than its price.
    """

    value_usd: float
    threshold: float | None = None

    def rank(self, gain: float, price_usd: float) -> float:
        """What hearing more judges is worth, in US dollars; none is heard at 0 or less."""
        return self.value_usd * gain - price_usd

    def budget_usd(self, _whole_usd: float) -> float:
        """Whatever pays is spent."""
        return inf


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """A share of what all judges cost, 0..1, spent on the answers and judges that tell most for it.

    Answers of which the cheap judges are sure leave more for the others. `threshold`: from which an
    answer is taken; None where answers are to be ranked.
    """

    share: float
    threshold: float | None = None

    def rank(self, gain: float, price_usd: float) -> float:
        """Gain for a dollar."""
        return gain / max(price_usd, 1e-12)

    def budget_usd(self, whole_usd: float) -> float:
        """What may be spent on all answers together."""
        return self.share * whole_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """The confidences of many answers, as thresholds that are as likely as each other.

    What is gained over them by a judgement is how much better it ranks the answer among the others:
    most where they are many. `levels`: ascending; `sums`: of the first 0, 1, ... of them.
    """

    levels: tuple[float, ...]
    sums: tuple[float, ...]

    @classmethod
    def of(cls, confidences: Iterable[float]) -> Self:
        """Of these answers."""
        levels = tuple(sorted(confidences))
        return cls(levels=levels, sums=tuple(accumulate(levels, initial=0.0)))

    def worth(self, chance: float) -> float:
        """Mean of what is given at each threshold: this answer, or another as good as it says.

        >>> Crowd.of([0.1, 0.9]).worth(0.5)
        0.7
        """
        below = bisect_right(self.levels, chance)
        return (below * chance + self.sums[-1] - self.sums[below]) / len(self.levels)


def worth(chance: float, threshold: float | None) -> float:
    """What is given: this answer, or another as good as the threshold says.

    Where any threshold from 0 to 1 is as likely the mean of it is (1 + chance^2) / 2.

    >>> worth(0.5, None), worth(0.2, 0.7)
    (0.625, 0.7)
    """
    return (1.0 + chance * chance) / 2.0 if threshold is None else max(chance, threshold)
