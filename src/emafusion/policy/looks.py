"""What a first look is worth when a second may follow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.policy.options import Options
from emafusion.policy.spread import Spread

TIE = 0.005
"""Utilities closer than this are equal: the cheaper candidate is taken."""

SHORTLIST = 8
"""Candidates whose pairs are weighed; the work grows with the square of their number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
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
        utility = np.where(left.open, left.quality - left.paid, -np.inf)
        first = cheapest_of_best(utility, left)
        return Start(first=first, second=None, quality=float(left.quality[first]))
    few = _shortlist(left)
    quality, legibility = left.quality[few], left.legibility[few]
    second = _second_values(left, few, spread=spread, carry=carry)
    after = second.max(axis=1)
    chance = spread.row(quality, legibility)
    # Without a second look a start is worth its quality; the bins only approximate that.
    whole = np.maximum((chance * np.maximum(spread.bins, after)).sum(axis=1), quality)
    worth = np.full(len(left.names), -np.inf)
    worth[few] = whole - left.paid[few]
    first = cheapest_of_best(worth, left)
    at = int(np.flatnonzero(few == first)[0])
    pays = after[at] > spread.bins
    share = float((chance[at] * pays).sum())
    if share <= TIE:
        return Start(first=first, second=None, quality=float(left.quality[first]))
    then = int(few[second[at, :, int(np.argmax(pays))].argmax()])
    expected = float(whole[at] + share * left.paid[then])
    return Start(first=first, second=(then, share), quality=min(expected, 1.0))


def cheapest_of_best(worth: Floats, left: Options) -> int:
    """Place of the cheapest candidate among those that are worth most, within a tie."""
    near = worth >= worth.max() - TIE
    return int(np.where(near, left.cost_usd, np.inf).argmin())


def _shortlist(left: Options) -> Ints:
    """Places of the open candidates worth weighing: the most useful alone, and the cheapest."""
    places = np.flatnonzero(left.open)
    if len(places) <= SHORTLIST:
        return places
    useful = places[np.argsort(left.paid[places] - left.quality[places], kind="stable")]
    cheap = places[np.argsort(left.cost_usd[places], kind="stable")]
    kept = [*useful[: SHORTLIST - 2].tolist(), *cheap[:2].tolist()]
    return np.array(sorted(set(kept)), dtype=np.int64)


def _second_values(left: Options, few: Ints, *, spread: Spread, carry: float) -> Floats:
    """float64[n, n, 20]: worth of a second look, by first, second and confidence in the first."""
    quality = left.quality[few]
    surprise = spread.bins[None, :] - quality[:, None]
    revised = quality[None, :, None] + carry * surprise[:, None, :]
    value = spread.best_by_bin(np.minimum(np.maximum(revised, 0.01), 0.99), left.legibility[few])
    value -= left.paid[few][None, :, None]
    itself = np.arange(len(few))
    value[itself, itself] = -np.inf
    return value
