"""Which answers are worth a label: those of which it says most, drawn with known chances.

Every answer is drawn with a chance in proportion to how unsure one is of it,
sqrt(p (1 - p)) for a confidence p: the choice that makes a corrected mean least uncertain (Zrnic
and Candes, "Active statistical inference", ICML 2024, sec. 3). A share of the draw is spread over
all alike, so that what the judges are wrongly sure of is looked at too. The chance is kept with the
label: whoever weighs labels by its inverse gets means without bias.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, sqrt
from random import Random

EVEN = 0.2
"""Share of the draw that is spread over all answers alike."""

UNKNOWN = 0.5
"""Confidence that stands for an unknown one: nothing is surer to be unsure of."""


def chances(confidences: Sequence[float | None], wanted: int) -> list[float]:
    """The chance of each answer to be drawn, so that `wanted` are drawn on average.

    Chances are above 0 and at most 1. Where there are no more than wanted, all are drawn.

    >>> [round(chance, 2) for chance in chances([0.5, 0.99, None, 1.0], 2)]
    [0.83, 0.24, 0.83, 0.1]
    """
    n = len(confidences)
    if wanted >= n:
        return [1.0] * n
    known = [UNKNOWN if p is None else min(max(p, 0.0), 1.0) for p in confidences]
    doubts = [sqrt(p * (1.0 - p)) for p in known]
    total = sum(doubts)
    shares = [d / total if total else 1.0 / n for d in doubts]
    raw = [wanted * ((1.0 - EVEN) * share + EVEN / n) for share in shares]
    return _capped(raw, wanted)


def draw(chance: Sequence[float], random: Random) -> list[int]:
    """Places of those that are drawn, each with its chance, and as many as the chances add up to.

    Systematic sampling in a random order: chances are laid end to end, and whoever lies at a whole
    number, counted from a random start, is drawn.

    >>> len(draw([0.5, 0.25, 0.25, 1.0], Random(1)))
    2
    """
    order = random.sample(range(len(chance)), len(chance))
    drawn: list[int] = []
    at = random.random()
    for i in order:
        if floor(at + chance[i]) > floor(at):
            drawn.append(i)
        at += chance[i]
    return sorted(drawn)


def _capped(raw: list[float], wanted: int) -> list[float]:
    """No chance above 1; what that cuts off goes to the others."""
    out = [0.0] * len(raw)
    free: list[int] = list(range(len(raw)))
    left = float(wanted)
    while free:
        scale = left / sum(raw[i] for i in free)
        full = [i for i in free if raw[i] * scale >= 1.0]
        if not full:
            for i in free:
                out[i] = raw[i] * scale
            break
        for i in full:
            out[i] = 1.0
        left -= len(full)
        free = [i for i in free if out[i] < 1.0]
    return out
