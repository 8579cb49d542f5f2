"""Where to start: the worth of each first call with what may follow it. One query, or thousands.

    worth_i = q_i - fee_i + E_r max(0, max_k G_k(r))

over the confidence r in the first answer once the free judges have read it (`policy.spread`), with
G the net gain of a second call when a third may follow (`policy.ahead`).
"""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats, Ints
from emafusion.policy.ahead import ahead, bench
from emafusion.policy.spread import Spread
from emafusion.policy.vote import Vote

BEST = 6
"""Candidates that are weighed: those of largest q - fee. The work grows with the cube."""

TIE = 0.002
"""Utilities closer than this are equal: the cheaper candidate is taken; where cost does not count,
the better one."""

HASTE = 0.001
"""Quality that a further call must gain beyond its price: it costs the client's time."""

HOPELESS = 0.02
"""A first look of this quality or less only delays the next one."""


class Menu(Struct, frozen=True, kw_only=True, eq=False):
    """What n candidates offer to each of Q queries: float64[Q, n].

    `fee`: cost in units of quality, infinite where one cannot be called; `legibility`: int64[n],
    as in `policy.options`; `comparable`: float64[Q], 0..1; `bar`: float64[Q, n, n], infinite where
    a limit forbids the second after the first, None for no limit.
    """

    quality: Floats
    cost_usd: Floats
    fee: Floats
    legibility: Ints
    comparable: Floats
    bar: Floats | None = None


class Starts(Struct, frozen=True, kw_only=True, eq=False):
    """Best first looks of Q queries.

    `first`, `second`: int64[Q] (-1: none pays); `chance` of the second, `worth`, and `quality`
    expected of the answer given: float64[Q].
    """

    first: Ints
    second: Ints
    chance: Floats
    worth: Floats
    quality: Floats


def best_starts(menu: Menu, spread: Spread, vote: Vote, *, looks: int) -> Starts:
    """Find the first look of each query whose whole plan is worth most, with `looks` >= 1 answers.

    Each query must have a candidate that can be called.
    """
    few, rows = _shortlist(menu), np.arange(len(menu.quality))[:, None]
    quality, fee, cost = menu.quality[rows, few], menu.fee[rows, few], menu.cost_usd[rows, few]
    alone = quality - fee
    alone[(quality <= HOPELESS) & (quality.max(axis=1, keepdims=True) > HOPELESS)] = -inf
    if looks < 2 or few.shape[1] < 2:
        gain, points = np.full((*few.shape, few.shape[1]), -inf), 1
    else:
        first, points = _firsts(quality, menu.legibility[few], spread)
        shut = _own(few.shape[1], points)
        if menu.bar is not None:
            bar = menu.bar[rows[..., None], few[:, :, None], few[:, None, :]]
            shut = shut + np.repeat(bar, points, axis=1)
        comparable = menu.comparable[:, None, None]
        then = bench(quality, fee, vote)
        gain = ahead(first, then, looks=looks, shut=shut, comparable=comparable)
    return _choose(few, (alone, quality, fee, cost), gain=gain - HASTE, points=points)


def _shortlist(menu: Menu) -> Ints:
    """Columns of the most useful candidates of each query: int64[Q, m]."""
    n = menu.quality.shape[1]
    if n <= BEST:
        return _all(len(menu.quality), n)
    order = np.argsort(menu.fee - menu.quality, axis=1, kind="stable")[:, :BEST]
    return np.sort(order, axis=1)


def _firsts(quality: Floats, legibility: Ints, spread: Spread) -> tuple[Floats, int]:
    """Confidence in the first answer once read: float64[Q, m x points], and how many points."""
    if not any(spread.telling[k] for k in set(legibility.ravel().tolist())):
        return quality, 1
    distance = spread.distance(quality, legibility)
    pair = np.stack((quality - distance, quality + distance), axis=-1)
    return pair.reshape(len(pair), -1), 2


def _choose(
    few: Ints, offers: tuple[Floats, Floats, Floats, Floats], *, gain: Floats, points: int
) -> Starts:
    alone, quality, fee, cost = offers
    n, m = few.shape
    rows: Ints = np.arange(n, dtype=np.int64)
    most = np.maximum(np.maximum.reduce(gain, axis=2), 0.0)
    paying = most > 0.0
    if points > 1:
        most = np.add.reduce(most.reshape(n, m, points), axis=2) / points
    worth = alone + most
    near = worth >= np.maximum.reduce(worth, axis=1, keepdims=True) - TIE
    free = ~(np.where(np.isfinite(fee), fee, 0.0) > 0.0).any(axis=1, keepdims=True)
    prefer = np.where(free, -quality, cost)
    at = np.where(near, prefer, inf).argmin(axis=1)
    share = np.add.reduce(paying.reshape(n, m, points)[rows, at], axis=1) / points
    point = gain.reshape(n, m, points, m)[rows, at]
    second = point.max(axis=1).argmax(axis=1)
    pays = share > 0.0
    paid = np.where(pays, share * fee[rows, second], 0.0)
    expected = worth[rows, at] + fee[rows, at] + np.where(np.isfinite(paid), paid, 0.0)
    return Starts(
        first=few[rows, at],
        second=np.where(pays, few[rows, second], -1),
        chance=share,
        worth=worth[rows, at],
        quality=np.minimum(expected, 1.0),
    )


@lru_cache(maxsize=32)
def _all(queries: int, n: int) -> Ints:
    """int64[queries, n]: every column."""
    return np.broadcast_to(np.arange(n), (queries, n))


@lru_cache(maxsize=32)
def _own(m: int, points: int) -> Floats:
    """float64[m x points, m]: infinite where the second would be the first."""
    mask: Floats = np.repeat(np.where(np.eye(m, dtype=bool), inf, 0.0), points, axis=0)
    mask.flags.writeable = False
    return mask
