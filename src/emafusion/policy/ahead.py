"""What a second call is worth when a third may follow: arrays, with any leading dimensions.

One function serves a single query and, in a replay, thousands at once. The first answer is right
with probability r. With s and c the chances that right and wrong answers meet (`policy.vote`),
candidate k says the same with joint probabilities (first right, none right)

    r q s,  (1 - r) (1 - q) c

or something else with (first right, k right, none right)

    A = r (1 - q s),  K = (1 - r) q,  N = (1 - r) (1 - q) (1 - c).

Stopping then gives the likelier answer, so the call gains `(K - A)+`, and more where a third call j
may change the choice in either case. All gains are differences of joint probabilities within one
model of the future: never negative, and no error of level enters them. Where answers cannot be
compared, a second one is worth `(q - r)+`.
"""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.policy.vote import Vote


class Bench(Struct, frozen=True, kw_only=True, eq=False):
    """Candidates for the next calls: arrays [..., m], of one query or many.

    `quality`: 0..1; `fee`: cost in units of quality, infinite where it cannot be called; `meets`,
    `errs`: chance to say as a group does that is right, and as one that is wrong.
    """

    quality: Floats
    fee: Floats
    meets: Floats
    errs: Floats


class _Second(Struct, frozen=True, kw_only=True, eq=False):
    """Joint probabilities [..., f, m] after a second answer, as named above.

    `both`, `neither`: it says the same, and is right or not; `differ`: chance that it does not.
    """

    both: Floats
    neither: Floats
    differ: Floats
    first: Floats
    second: Floats
    none: Floats


def bench(quality: Floats, fee: Floats, vote: Vote) -> Bench:
    """Prepare candidates: float64[..., m] each."""
    return Bench(
        quality=quality,
        fee=fee,
        meets=quality * vote.same,
        errs=(1.0 - quality) * vote.collide,
    )


def ahead(first: Floats, then: Bench, *, looks: int, shut: Floats, comparable: Floats) -> Floats:
    """Net gain of each second call: float64[..., f, m], where at most `looks` >= 2 are made.

    `first`: float64[..., f], probability that the first answer is right; `shut`: float64[..., f,
    m], infinite where the candidate may not follow, else 0; `comparable`: float64[..., 1, 1], 0..1.
    """
    second = _second(first[..., None], then)
    net = np.maximum(second.second - second.first, 0.0)
    if looks > 2:
        fee = then.fee[..., None, None, :] + shut[..., None, :] + _itself(then.fee.shape[-1])
        net += np.maximum(_after_agreement(second, then, fee), 0.0)
        net += np.maximum(_after_dissent(second, then, fee), 0.0)
    plain = np.maximum(then.quality[..., None, :] - first[..., None], 0.0)
    net -= plain
    net *= comparable
    net += plain
    net -= then.fee[..., None, :]
    net -= shut
    return np.asarray(net)


def _second(first: Floats, then: Bench) -> _Second:
    quality, wrong = then.quality[..., None, :], 1.0 - first
    both = first * then.meets[..., None, :]
    neither = wrong * then.errs[..., None, :]
    right = wrong * quality
    return _Second(
        both=both,
        neither=neither,
        differ=1.0 - both - neither,
        first=first - both,
        second=right,
        none=wrong - right - neither,
    )


def _after_agreement(second: _Second, then: Bench, fee: Floats) -> Floats:
    """Best net gain of a third call: something new, where the two are wrong."""
    better = second.neither[..., None] * then.quality[..., None, None, :]
    better -= second.both[..., None] * (1.0 - then.meets)[..., None, None, :]
    np.maximum(better, 0.0, out=better)
    better -= (second.both + second.neither)[..., None] * fee
    return np.asarray(np.maximum.reduce(better, axis=-1))


def _after_dissent(second: _Second, then: Bench, fee: Floats) -> Floats:
    """The same where they differ: a third answer may side with either, or say something new."""
    most = np.maximum(second.first, second.second)[..., None]
    least = np.minimum(second.first, second.second)[..., None]
    meets, errs = then.meets[..., None, None, :], then.errs[..., None, None, :]
    best = most * meets
    np.maximum(best, least * errs, out=best)
    best += np.maximum(least * meets, most * errs)
    new = most * (1.0 - meets - errs)
    np.maximum(new, second.none[..., None] * then.quality[..., None, None, :], out=new)
    best += new
    best -= most
    best -= second.differ[..., None] * fee
    return np.asarray(np.maximum.reduce(best, axis=-1))


@lru_cache(maxsize=32)
def _itself(m: int) -> Floats:
    """float64[m, m]: infinite where a call would repeat the one before."""
    mask: Floats = np.where(np.eye(m, dtype=bool), inf, 0.0)
    mask.flags.writeable = False
    return mask
