"""A spending target: turn the dial through the day so that the day ends on it.

No wall: nothing is refused for it. With S spent of the target B, the rest of the day T and the rate
r at which money goes now (a moving average over `MEMORY_S`),

    wanted = (B - S) / T,    weight += GAIN x log(wanted / r) x dt / MEMORY_S

so a day that spends half of what it may turns the dial up, one that spends twice that turns it
down, by some 0.25 in a quarter of an hour. Once B is spent the weight is 0: the cheapest
acceptable. Without traffic nothing is turned. A day with a known rhythm is not foreseen: what a
quiet night leaves over, the day may use.
"""

from __future__ import annotations

from math import exp, log

from msgspec import Struct

MEMORY_S = 900.0
"""Over so many seconds the rate is averaged."""

GAIN = 0.35
"""Weight for a rate that is wrong by a factor of e, in each `MEMORY_S`."""

MOST_WRONG = 1.0
"""Factor of e beyond which a rate counts as no more wrong: bursts must not throw the dial."""


class Pace(Struct, frozen=True, kw_only=True):
    """Where the dial stands. `weight`: quality_weight, 0..1; `spent_usd`: of the day, at `at_s`.

    `usd_per_s`: the rate, None before it is known.
    """

    weight: float
    at_s: float
    spent_usd: float
    usd_per_s: float | None = None


class Day(Struct, frozen=True, kw_only=True):
    """A day to be paced: its end in Unix seconds, and the US dollars to end it on."""

    ends_s: float
    budget_usd: float


def paced(pace: Pace, *, spent_usd: float, now_s: float, day: Day) -> Pace:
    """Where the dial is to stand now. Pure; to be asked again every minute or so.

    `spent_usd`: of this day until now; less than before means that another day has begun.

    >>> pace = Pace(weight=0.5, at_s=0.0, spent_usd=0.0)
    >>> day = Day(ends_s=86_400.0, budget_usd=86.4)
    >>> paced(pace, spent_usd=0.12, now_s=60.0, day=day).weight < 0.5  # twice what it may be
    True
    """
    lasted_s = now_s - pace.at_s
    if lasted_s <= 0.0:
        return pace
    more_usd = spent_usd - pace.spent_usd if spent_usd >= pace.spent_usd else spent_usd
    rate = _rate(pace.usd_per_s, more_usd / lasted_s, lasted_s)
    weight = _weight(
        pace.weight,
        rate,
        left_usd=day.budget_usd - spent_usd,
        left_s=max(day.ends_s - now_s, 60.0),
        lasted_s=lasted_s,
    )
    return Pace(weight=weight, at_s=now_s, spent_usd=spent_usd, usd_per_s=rate)


def _rate(before: float | None, now: float, lasted_s: float) -> float:
    """Moving average; the first rate that is seen is the average."""
    if before is None:
        return now
    keep = exp(-lasted_s / MEMORY_S)
    return keep * before + (1.0 - keep) * now


def _weight(
    weight: float, rate: float, *, left_usd: float, left_s: float, lasted_s: float
) -> float:
    if left_usd <= 0.0:
        return 0.0
    if rate <= 0.0:
        return weight
    wrong = min(max(log(left_usd / left_s / rate), -MOST_WRONG), MOST_WRONG)
    return min(max(weight + GAIN * wrong * min(lasted_s / MEMORY_S, 1.0), 0.0), 1.0)
