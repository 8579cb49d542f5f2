"""The first look, when others may follow: arrays of one query or of thousands.

A start i is worth `q_i - fee_i + max_k (G_ik)+`, G the net gain of a second call when a third may
follow it (`policy.ahead`). Where judges will read token log-probabilities, that is averaged over
what they may find.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats, Ints
from emafusion.policy.ahead import Bench, ahead, bench, two_ahead
from emafusion.policy.options import Options
from emafusion.policy.spread import BINS, Spread
from emafusion.policy.vote import Vote, many_odds

TIE = 0.001
"""Utilities closer than this are equal: the cheaper candidate is taken."""

SHORTLIST = 6
"""Candidates that are weighed against each other; the work grows with the cube of their number."""

FINDINGS = 5
"""Confidences after reading that are looked at, where judges can tell much."""


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


class Menu(Struct, frozen=True, kw_only=True, eq=False):
    """What n candidates offer to each of Q queries: float64[Q, n].

    `fee`: cost in units of quality, infinite where one cannot be called; `legibility`: int64[n],
    what judges can tell of its answers; `comparable`: float64[Q], 0..1.
    """

    quality: Floats
    cost_usd: Floats
    fee: Floats
    legibility: Ints
    comparable: Floats


class Starts(Struct, frozen=True, kw_only=True, eq=False):
    """Best first looks of Q queries: `first`, `second` int64[Q] (-1: none pays).

    `chance` of the second, `quality` expected of the answer given: float64[Q].
    """

    first: Ints
    second: Ints
    chance: Floats
    quality: Floats

    def at(self, row: int) -> Start:
        """That of one query."""
        second = int(self.second[row])
        return Start(
            first=int(self.first[row]),
            second=None if second < 0 else (second, float(self.chance[row])),
            quality=float(self.quality[row]),
        )


def best_start(left: Options, spread: Spread, vote: Vote, *, looks: int) -> Start:
    """Find the first look whose whole plan is worth most; at least one candidate must be open."""
    if looks < 2 or sum(left.open) < 2:
        places = zip(left.open, left.quality, left.paid, strict=True)
        first = cheapest_of_best([q - paid if may else -inf for may, q, paid in places], left)
        return Start(first=first, second=None, quality=left.quality[first])
    menu = Menu(
        quality=np.array([left.quality]),
        cost_usd=np.array([left.cost_usd]),
        fee=np.array([[p if may else inf for may, p in zip(left.open, left.paid, strict=True)]]),
        legibility=np.array(left.legibility),
        comparable=np.array([left.comparable]),
    )
    return best_starts(menu, spread, vote, looks=looks).at(0)


def best_starts(menu: Menu, spread: Spread, vote: Vote, *, looks: int) -> Starts:
    """The same for many queries at once; each must have an open candidate."""
    alone = menu.quality - menu.fee
    few = _shortlist(alone)
    quality, fee, cost = (
        np.take_along_axis(each, few, axis=1) for each in (menu.quality, menu.fee, menu.cost_usd)
    )
    then = bench(quality, fee, vote)
    comparable = menu.comparable[:, None, None]
    if looks < 2 or few.shape[1] < 2:
        gain = np.full((*quality.shape, few.shape[1]), -inf)
    elif spread.telling[menu.legibility].any():
        chance = spread.chances(quality, menu.legibility[few])
        gain = _read_first(then, (spread.bins, chance), vote, looks=looks, comparable=comparable)
    else:
        gain = _net(then, many_odds(quality), vote, looks=looks, comparable=comparable)
    return _choose(few, quality - fee, gain, cost=cost, fee=fee)


def cheapest_of_best(worth: list[float], left: Options) -> int:
    """Place of the cheapest candidate among those that are worth most, within a tie."""
    enough = max(worth) - TIE
    near = [k for k, value in enumerate(worth) if value >= enough]
    return min(near, key=left.cost_usd.__getitem__)


def _shortlist(alone: Floats) -> Ints:
    """Columns of the most useful candidates of each query: int64[Q, m]."""
    n = alone.shape[1]
    if n <= SHORTLIST:
        return np.broadcast_to(np.arange(n), alone.shape)
    return np.argpartition(-alone, SHORTLIST - 1, axis=1)[:, :SHORTLIST]


def _net(then: Bench, odds: Floats, vote: Vote, *, looks: int, comparable: Floats) -> Floats:
    """Net gain of each second call after each first: float64[Q, m, m]."""
    shut = _itself(then.fee.shape[-1])
    if looks == 2:
        return ahead(odds, then, shut=shut, comparable=comparable).net
    return two_ahead(odds, then, vote, shut=shut, comparable=comparable).net


def _read_first(
    then: Bench, findings: tuple[Floats, Floats], vote: Vote, *, looks: int, comparable: Floats
) -> Floats:
    """The same, averaged over what judges may find of the first answer.

    `findings`: float64[20], confidences, and float64[Q, m, 20], their chances.
    """
    bins, chance = findings
    m = then.fee.shape[-1]
    chance = chance.reshape(*chance.shape[:-1], FINDINGS, BINS // FINDINGS)
    share = chance.sum(axis=-1)
    centres = bins.reshape(FINDINGS, -1)
    found = (chance * centres).sum(axis=-1) / np.maximum(share, 1e-12)
    gain = np.zeros((*then.quality.shape, m))
    for place in range(FINDINGS):
        odds = many_odds(found[..., place])
        net = _net(then, odds, vote, looks=looks, comparable=comparable)
        # A second call is only made where it pays by then: never a loss.
        gain += share[..., place, None] * np.maximum(net, 0.0)
    return gain


def _choose(few: Ints, alone: Floats, gain: Floats, *, cost: Floats, fee: Floats) -> Starts:
    """Of starts that are worth the same, the one without a second call, then the cheapest."""
    rows = np.arange(len(few))
    then = gain.argmax(axis=2)
    most = np.maximum(np.take_along_axis(gain, then[..., None], axis=2)[..., 0], 0.0)
    worth = alone + most
    near = worth >= worth.max(axis=1, keepdims=True) - TIE
    single = most <= TIE
    near &= single | ~(near & single).any(axis=1, keepdims=True)
    first = np.where(near, cost, inf).argmin(axis=1)
    second = then[rows, first]
    pays = most[rows, first] > TIE
    paid = np.where(np.isfinite(fee[rows, second]), fee[rows, second], 0.0)
    quality = alone[rows, first] + fee[rows, first] + np.where(pays, most[rows, first] + paid, 0.0)
    return Starts(
        first=few[rows, first],
        second=np.where(pays, few[rows, second], -1),
        chance=pays.astype(np.float64),
        quality=np.minimum(quality, 1.0),
    )


@lru_cache(maxsize=32)
def _itself(m: int) -> Floats:
    """float64[m, m]: infinite where a second look would be at the first candidate again."""
    mask: Floats = np.where(np.eye(m, dtype=bool), inf, 0.0)
    mask.flags.writeable = False
    return mask
