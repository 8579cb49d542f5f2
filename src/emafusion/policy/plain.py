"""The same as `policy.ahead` for one query, in plain floats: what a gateway asks of it.

A pool is small, and then a call of numpy costs more than the sums it does. The work grows with the
cube of the number of candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from msgspec import Struct

from emafusion.policy.vote import Vote

FEW = 4
"""Candidates up to which this is the quicker way for all first looks together."""


class Seat(Struct, frozen=True, kw_only=True):
    """One candidate for the next calls; see `policy.ahead.Bench`."""

    quality: float
    fee: float
    meets: float
    errs: float


def seats(quality: Sequence[float], fee: Sequence[float], vote: Vote) -> tuple[Seat, ...]:
    """Prepare candidates; `fee`: infinite where one cannot be called.

    >>> seats([0.5], [0.1], Vote(same=0.9, collide=0.2))[0].meets
    0.45
    """
    return tuple(
        [
            Seat(quality=q, fee=paid, meets=q * vote.same, errs=(1.0 - q) * vote.collide)
            for q, paid in zip(quality, fee, strict=True)
        ]
    )


def nets(
    first: float, then: tuple[Seat, ...], *, looks: int, comparable: float, own: int = -1
) -> list[float]:
    """Net gain of each second call after a first answer right with probability `first`: n numbers.

    `looks`: calls at most, the first one included: 2, or 3 and more, where a third may follow.
    `own`: place of who gave the first answer and cannot be asked again, -1 where it is not among
    them. -inf where the candidate cannot be called.
    """
    gains: list[float] = []
    wrong = 1.0 - first
    for k, seat in enumerate(then):
        if k == own or seat.fee == inf:
            gains.append(-inf)
            continue
        plain = max(seat.quality - first, 0.0)
        both, right = first * seat.meets, wrong * seat.quality
        net = max(right - first + both, 0.0)
        if looks > 2 and comparable > 0.0:
            third = [s for j, s in enumerate(then) if j not in (k, own) and s.fee < inf]
            neither = wrong * seat.errs
            net += _after_agreement(both, neither, third)
            net += _after_dissent((first - both, right, wrong - right - neither), third)
        gains.append(plain + comparable * (net - plain) - seat.fee)
    return gains


def _after_agreement(both: float, neither: float, third: list[Seat]) -> float:
    """Gain of the best third call, at least 0, where two answers agree."""
    best, agree = 0.0, both + neither
    for seat in third:
        gain = neither * seat.quality - both * (1.0 - seat.meets) - agree * seat.fee
        best = max(best, gain)
    return best


def _after_dissent(joint: tuple[float, float, float], third: list[Seat]) -> float:
    """The same where they differ; `joint`: the first is right, the second is, none is."""
    first, second, none = joint
    most, least = (first, second) if first > second else (second, first)
    differ, best = first + second + none, 0.0
    for seat in third:
        meets, errs = seat.meets, seat.errs
        gain = max(most * meets, least * errs) + max(least * meets, most * errs)
        gain += max(most * (1.0 - meets - errs), none * seat.quality) - most - differ * seat.fee
        best = max(best, gain)
    return best
