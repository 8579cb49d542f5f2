"""What a second call is worth when a third may follow: arrays, with any leading dimensions.

One function serves a single query, in a request, and thousands at once, in a replay. After a first
answer of odds f, candidate k agrees with it with probability p (see `policy.vote`), and

    G_k = p A_k + (1 - p) [(P_k - P_f)+ + D_k] - fee_k
    A_k, D_k = max_j (gain_j - fee_j)+ of a third candidate after agreement, after dissent

where gains are differences within one model of the future, so never negative: no error of level
enters them. Where answers cannot be compared, a second one is worth (q_k - P_f)+.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.policy.vote import Vote, many_odds

Bools = npt.NDArray[np.bool_]


class Bench(Struct, frozen=True, kw_only=True, eq=False):
    """Candidates for the next calls: arrays [..., m], of one query or many.

    `quality`: 0..1; `fee`: cost in units of quality, infinite where it cannot be called; `odds`,
    `lift`, `base`, `slope`: as in `policy.vote`.
    """

    quality: Floats
    fee: Floats
    odds: Floats
    lift: Floats
    base: Floats
    slope: Floats


class Ahead(Struct, frozen=True, kw_only=True, eq=False):
    """Arrays [..., f, m] by first answer and second candidate.

    `net`: gain of the second call after its fee; `agree`: chance that it agrees; `if_agree`,
    `if_not`: [..., f, m, m], net gain of each third call then (no third call allowed: None).
    """

    net: Floats
    agree: Floats
    if_agree: Floats | None
    if_not: Floats | None


def bench(quality: Floats, fee: Floats, vote: Vote) -> Bench:
    """Prepare candidates: float64[..., m] each."""
    odds = many_odds(quality)
    base = (1.0 - quality) * vote.collide
    return Bench(
        quality=quality,
        fee=fee,
        odds=odds,
        lift=vote.lifts(odds),
        base=base,
        slope=quality * vote.same - base,
    )


def ahead(first: Floats, then: Bench, *, shut: Floats, comparable: Floats) -> Ahead:
    """Net gain of each second call when only that may follow.

    `first`: float64[..., f], odds of the first answer; `shut`: float64[..., f, m], infinite where
    the candidate may not follow, else 0; `comparable`: float64[..., 1, 1], 0..1.
    """
    second = _second(first, then)
    net = (1.0 - second.agree) * second.better
    return Ahead(
        net=_mixed(net, second, then, shut=shut, comparable=comparable),
        agree=second.agree,
        if_agree=None,
        if_not=None,
    )


def two_ahead(first: Floats, then: Bench, vote: Vote, *, shut: Floats, comparable: Floats) -> Ahead:
    """The same where a third call may follow the second."""
    second = _second(first, then)
    fee = then.fee[..., None, None, :] + shut[..., None, :] + _itself(then.fee.shape[-1])
    if_agree = _after_agreement(second, then, vote, fee=fee)
    if_not = _after_dissent(second, then, vote, fee=fee)
    net = second.better + np.maximum(np.maximum.reduce(if_not, axis=-1), 0.0)
    net -= second.agree * (net - np.maximum(np.maximum.reduce(if_agree, axis=-1), 0.0))
    return Ahead(
        net=_mixed(net, second, then, shut=shut, comparable=comparable),
        agree=second.agree,
        if_agree=if_agree,
        if_not=if_not,
    )


class _Second(Struct, frozen=True, kw_only=True, eq=False):
    """Two answers: arrays [..., f, m], `first` and `chance` [..., f, 1], `odds` [..., 1, m]."""

    first: Floats
    chance: Floats
    odds: Floats
    agree: Floats
    whole: Floats
    better: Floats


def _second(first: Floats, then: Bench) -> _Second:
    first = first[..., :, None]
    chance = first / (1.0 + first)
    odds = then.odds[..., None, :]
    whole = 1.0 + first + odds
    return _Second(
        first=first,
        chance=chance,
        odds=odds,
        agree=then.base[..., None, :] + chance * then.slope[..., None, :],
        whole=whole,
        better=np.maximum(odds - first, 0.0) / whole,
    )


def _mixed(
    net: Floats, second: _Second, then: Bench, *, shut: Floats, comparable: Floats
) -> Floats:
    """The gain where answers can be compared or not, after the fee."""
    plain = np.maximum(then.quality[..., None, :] - second.chance, 0.0)
    net = plain + comparable * (net - plain)
    net -= then.fee[..., None, :]
    net -= shut
    return net


def _after_agreement(second: _Second, then: Bench, vote: Vote, *, fee: Floats) -> Floats:
    """One group of two: only something new of greater odds can better it."""
    held = second.first * then.lift[..., None, :]
    np.maximum(held, second.odds * vote.lifts(second.first), out=held)
    part = (held / (1.0 + held))[..., None]
    held = held[..., None]
    odds = then.odds[..., None, None, :]
    new = odds - held
    np.maximum(new, 0.0, out=new)
    new /= 1.0 + held + odds
    new *= (1.0 - then.base)[..., None, None, :] - part * then.slope[..., None, None, :]
    new -= fee
    return new


def _after_dissent(second: _Second, then: Bench, vote: Vote, *, fee: Floats) -> Floats:
    """Two groups of one: a third answer may side with the weaker, or say something better."""
    best, other = np.maximum(second.first, second.odds), np.minimum(second.first, second.odds)
    base, slope = then.base[..., None, None, :], then.slope[..., None, None, :]
    odds = then.odds[..., None, None, :]
    raised = other[..., None] * then.lift[..., None, None, :]
    np.maximum(raised, odds * vote.lifts(other)[..., None], out=raised)
    sides = base + (other / second.whole)[..., None] * slope
    best = best[..., None]
    rest = second.whole[..., None]
    won = (raised - best) / (1.0 + best + raised)
    np.maximum(won, 0.0, out=won)
    new = odds - best
    np.maximum(new, 0.0, out=new)
    new /= rest + odds
    won -= new
    won *= sides
    new *= (1.0 - base) - (best / rest) * slope
    won += new
    won -= fee
    return won


@lru_cache(maxsize=32)
def _itself(m: int) -> Floats:
    """float64[m, m]: infinite where a call would repeat the one before."""
    mask: Floats = np.where(np.eye(m, dtype=bool), inf, 0.0)
    mask.flags.writeable = False
    return mask
