"""What a first look is worth when a second may follow."""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.policy.options import Options
from emafusion.policy.spread import Spread

TIE = 0.005
"""Utilities closer than this are equal: the cheaper candidate is taken."""

HOPELESS = 0.02
"""A first look of this quality or less only delays the next one."""

SHORTLIST = 8
"""Candidates whose pairs are weighed; the work grows with the square of their number."""


class Start(Struct, frozen=True, kw_only=True):
    """The best first look. `second`: the likeliest second one and its chance, None if none pays.

    `quality`: expected of the answer given, 0..1.
    """

    first: int
    second: tuple[int, float] | None
    quality: float

    @property
    def looks(self) -> tuple[tuple[int, float], ...]:
        """Each look with its chance."""
        return ((self.first, 1.0), *((self.second,) if self.second else ()))


def best_start(left: Options, spread: Spread, *, looks: int, carry: float) -> Start:
    """Find the first look whose whole plan is worth most; at least one candidate must be open."""
    if looks < 2:
        places = zip(left.open, left.quality, left.paid, strict=True)
        first = cheapest_of_best([q - paid if may else -inf for may, q, paid in places], left)
        return Start(first=first, second=None, quality=left.quality[first])
    few = _shortlist(left)
    quality = np.array([left.quality[k] for k in few])
    second = _second_values(left, few, quality, spread=spread, carry=carry)
    after = np.maximum.reduce(second, axis=1)
    chance = spread.row(quality, [left.legibility[k] for k in few])
    # Without a second look a start is worth its quality; the bins only approximate that.
    read = np.add.reduce(chance * np.maximum(spread.bins, after), axis=1)
    whole: list[float] = np.maximum(read, quality).tolist()
    worth = [-inf] * len(left.names)
    best = max(left.quality[k] for k in few)
    for k, gross in zip(few, whole, strict=True):
        if left.quality[k] > HOPELESS or best <= HOPELESS:
            worth[k] = gross - left.paid[k]
    pays = after > spread.bins
    shares: list[float] = np.add.reduce(chance * pays, axis=1).tolist()
    first = _quickest_of_best(worth, dict(zip(few, shares, strict=True)), left)
    at = few.index(first)
    share = shares[at]
    if share <= TIE:
        return Start(first=first, second=None, quality=left.quality[first])
    then = few[int(second[at, :, int(pays[at].argmax())].argmax())]
    expected = whole[at] + share * left.paid[then]
    return Start(first=first, second=(then, share), quality=min(expected, 1.0))


def cheapest_of_best(worth: list[float], left: Options) -> int:
    """Place of the cheapest candidate among those that are worth most, within a tie."""
    enough = max(worth) - TIE
    near = [k for k, value in enumerate(worth) if value >= enough]
    return min(near, key=left.cost_usd.__getitem__)


def _quickest_of_best(worth: list[float], shares: dict[int, float], left: Options) -> int:
    """Of starts that are worth the same, the one with the fewest expected looks, then the cheapest.

    `shares`: chance of a second look by place. A hopeless first look costs next to nothing where
    another always follows, but it costs the client's time.
    """
    enough = max(worth) - TIE
    near = [k for k in shares if worth[k] >= enough]
    return min(near, key=lambda k: (round(shares[k], 1), left.cost_usd[k]))


def _shortlist(left: Options) -> list[int]:
    """Places of the open candidates worth weighing: the most useful alone, and the cheapest."""
    places = [k for k, may in enumerate(left.open) if may]
    if len(places) <= SHORTLIST:
        return places
    useful = sorted(places, key=lambda k: left.paid[k] - left.quality[k])
    cheap = sorted(places, key=left.cost_usd.__getitem__)
    return sorted({*useful[: SHORTLIST - 2], *cheap[:2]})


def _second_values(
    left: Options, few: list[int], quality: Floats, *, spread: Spread, carry: float
) -> Floats:
    """float64[n, n, 20]: worth of a second look, by first, second and confidence in the first."""
    surprise = carry * (spread.bins - quality[:, None])
    revised = quality[:, None] + surprise[:, None, :]
    np.minimum(np.maximum(revised, 0.01, out=revised), 0.99, out=revised)
    value = spread.best_by_bin(revised, [left.legibility[k] for k in few])
    value -= _itself(len(few)) + np.array([left.paid[k] for k in few])[:, None]
    return value


@lru_cache(maxsize=SHORTLIST)
def _itself(n: int) -> Floats:
    """float64[n, n, 1]: infinite where a second look would be at the first candidate again."""
    return np.where(np.eye(n, dtype=bool), inf, 0.0)[:, :, None]
