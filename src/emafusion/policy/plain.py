"""The same as `policy.ahead` for one query, in plain floats: what a gateway asks of it.

A pool is small, and then a call of numpy costs more than the sums it does. The work grows with the
cube of the number of candidates: all first looks take 3 us for two, 66 for four, and 260 for six,
where arrays take some 100 for any of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf

from msgspec import Struct

from emafusion.policy.vote import Vote, odds_of

FEW = 4
"""Candidates up to which this is the quicker way."""


class Seat(Struct, frozen=True, kw_only=True):
    """One candidate for the next calls; see `policy.ahead.Bench`."""

    quality: float
    fee: float
    odds: float
    lift: float
    base: float
    slope: float


def seats(quality: Sequence[float], fee: Sequence[float], vote: Vote) -> tuple[Seat, ...]:
    """Prepare candidates; `fee`: infinite where one cannot be called.

    >>> seats([0.75], [0.1], Vote())[0].odds
    3.0
    """
    return tuple([_seat(q, paid, vote) for q, paid in zip(quality, fee, strict=True)])


def nets(
    first: float,
    then: tuple[Seat, ...],
    vote: Vote,
    *,
    looks: int,
    comparable: float,
    own: int = -1,
) -> list[float]:
    """Net gain of each second call after a first answer of odds `first`; n numbers.

    `looks`: calls at most, the first one included: 2, or 3 and more, where a third may follow.
    `own`: place of who gave the first answer and cannot be asked again, -1 where it is not among
    them. -inf where the candidate cannot be called.
    """
    chance = first / (1.0 + first)
    lift = vote.lift(first)
    gains: list[float] = []
    for k, seat in enumerate(then):
        if k == own or seat.fee == inf:
            gains.append(-inf)
            continue
        agree = seat.base + chance * seat.slope
        better = max(seat.odds - first, 0.0) / (1.0 + first + seat.odds)
        if looks < 3:
            net = (1.0 - agree) * better
        else:
            third = [s for j, s in enumerate(then) if j not in (k, own) and s.fee < inf]
            held = max(first * seat.lift, seat.odds * lift)
            net = better + _after_dissent(first, seat, third, lift=lift)
            net -= agree * (net - _after_agreement(held, third))
        plain = max(seat.quality - chance, 0.0)
        gains.append(plain + comparable * (net - plain) - seat.fee)
    return gains


def _seat(quality: float, fee: float, vote: Vote) -> Seat:
    odds, base = odds_of(quality), (1.0 - quality) * vote.collide
    return Seat(
        quality=quality,
        fee=fee,
        odds=odds,
        lift=vote.lift(odds),
        base=base,
        slope=quality * vote.same - base,
    )


def _after_agreement(held: float, third: list[Seat]) -> float:
    """Gain of the best third call, at least 0, where two answers agree and have odds `held`."""
    part, best = held / (1.0 + held), 0.0
    for seat in third:
        if seat.odds > held:
            new = (seat.odds - held) / (1.0 + held + seat.odds)
            best = max(best, new * (1.0 - seat.base - part * seat.slope) - seat.fee)
    return best


def _after_dissent(first: float, second: Seat, third: list[Seat], *, lift: float) -> float:
    """The same where they differ; `lift`: of the first answer."""
    strong, weak = max(first, second.odds), min(first, second.odds)
    lift = lift if first <= second.odds else second.lift
    whole, gain = 1.0 + first + second.odds, 0.0
    for seat in third:
        raised = max(weak * seat.lift, seat.odds * lift)
        won = max((raised - strong) / (1.0 + strong + raised), 0.0)
        new = max(seat.odds - strong, 0.0) / (whole + seat.odds)
        sides = seat.base + weak / whole * seat.slope
        alone = 1.0 - seat.base - strong / whole * seat.slope
        gain = max(gain, sides * (won - new) + new * alone - seat.fee)
    return gain
