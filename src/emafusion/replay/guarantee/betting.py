"""Betting against a mean: evidence that a bounded quantity is above zero, valid whenever one looks.

A gambler who starts with 1 bets on each value before seeing it. If the true mean were zero or less,
no strategy could expect to grow; by Ville's inequality wealth reaches 1/d with probability d at
most. After Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting"
(JRSS B 2024), with their predictable plug-in bets (section B.2, aGRAPA).
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

CAUTION = 0.5
"""Share of the largest safe bet that is ever staked."""


class Wealth(Struct, frozen=True, kw_only=True):
    """State of the gambler.

    `low` < 0: the least value there can be. `wealth`: now; `peak`: the most so far. `count`,
    `total`, `squares`: of what was seen. The first bets rest on a prior value of mean 0.
    """

    low: float
    wealth: float = 1.0
    peak: float = 1.0
    count: int = 0
    total: float = 0.0
    squares: float = 0.0

    def see(self, value: float) -> Wealth:
        """Bet, then look at a value >= `low`.

        >>> Wealth(low=-1.0).see(1.0).see(1.0).wealth > 1.0
        True
        """
        wealth = self.wealth * (1.0 + self.stake * max(value, self.low))
        return Wealth(
            low=self.low,
            wealth=wealth,
            peak=max(self.peak, wealth),
            count=self.count + 1,
            total=self.total + value,
            squares=self.squares + value * value,
        )

    @property
    def stake(self) -> float:
        """The next bet: mean over second moment of what was seen, never enough to be ruined."""
        mean = self.total / (self.count + 1)
        square = (self.squares + self.low * self.low / 4.0) / (self.count + 1)
        return min(max(mean / square, 0.0), CAUTION / -self.low)

    @property
    def p_value(self) -> float:
        """Of the hypothesis that the mean is zero or less; may be read after every value."""
        return min(1.0, 1.0 / self.peak)


def p_value(values: Iterable[float], *, low: float) -> float:
    """P-value of "the mean is zero or less", for independent values >= `low` in drawn order.

    Their order must not depend on the values: shuffle by a seed fixed beforehand.

    Raises `ValueError` unless `low` < 0.

    >>> p_value([1.0] * 20, low=-1.0) < 0.01, p_value([-1.0] * 20, low=-1.0)
    (True, 1.0)
    """
    if low >= 0.0:
        msg = f"low must be below 0, got {low}"
        raise ValueError(msg)
    state = Wealth(low=low)
    for value in values:
        state = state.see(value)
    return state.p_value
