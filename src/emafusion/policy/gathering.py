"""Whom to ask at once: those whose answers together are worth most for what they cost.

    worth of a set S = best + eta (F_S - best) - lambda sum_S c

with `best` the highest predicted quality in it, F the chance that any of them is right, and eta the
share of the gap between the two that choosing among them recovers. A further answer of the same
family counts half in F: it tends to be wrong where the first was. Sets grow greedily, since the
worth of another answer falls with every one that is there.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from emafusion.domain.evidence import Situation
from emafusion.domain.model import Candidate
from emafusion.policy.options import Options, left_usd

VOTED, READ = 0.5, 0.2
"""Share of the gap to an oracle that choosing recovers: by equal short answers, and by reading
prose. Stated."""

AGAIN = 0.5
"""Part of its chance that a further answer of one family adds. Stated."""

LEAST = 2


def coverage(chances: Iterable[float]) -> float:
    """Probability that at least one is right, as if they erred apart.

    >>> coverage([0.5, 0.5])
    0.75
    """
    return 1.0 - math.prod(1.0 - chance for chance in chances)


def recovered(left: Options) -> float:
    """Share of the gap that choosing among answers to this query recovers."""
    return left.comparable * VOTED + (1.0 - left.comparable) * READ


def together(situation: Situation, left: Options, places: Sequence[int]) -> float:
    """Quality expected of the answers of some candidates, fused."""
    seen: set[str] = set()
    chances: list[float] = []
    for k in sorted(places, key=lambda k: -left.quality[k]):
        kin = _kin(situation.candidates[k])
        chances.append(left.quality[k] * (AGAIN if kin in seen else 1.0))
        seen.add(kin)
    best = max((left.quality[k] for k in places), default=0.0)
    return best + recovered(left) * (coverage(chances) - best)


def panel_of(situation: Situation, left: Options, count: int) -> tuple[int, ...]:
    """Places of the candidates to ask at once, at most `count`; fewer than two: it does not pay.

    One that is the only one is asked several times, if it may say something else. Stays within the
    objective's limits.
    """
    may = [k for k, ok in enumerate(left.open) if ok]
    chosen: list[int] = []
    while may and len(chosen) < count:
        now = together(situation, left, chosen)
        gains = {k: together(situation, left, (*chosen, k)) - now - left.paid[k] for k in may}
        pick = max(may, key=lambda k: (gains[k], left.quality[k], -left.cost_usd[k]))
        if len(chosen) >= LEAST and gains[pick] <= 0.0:
            break
        may.remove(pick)
        if _affordable(situation, left, (*chosen, pick)):
            chosen.append(pick)
    return _repeated(situation, left, chosen, count=count)


def _affordable(situation: Situation, left: Options, places: Sequence[int]) -> bool:
    budget = left_usd(situation)
    return budget is None or sum(left.cost_usd[k] for k in places) <= budget


def _repeated(
    situation: Situation, left: Options, chosen: list[int], *, count: int
) -> tuple[int, ...]:
    """The only one there is, several times, as far as the money goes."""
    if len(chosen) != 1 or not situation.repeatable:
        return tuple(chosen)
    if situation.candidates[chosen[0]].model.kind != "language":
        return tuple(chosen)
    repeated = chosen
    while len(repeated) < count and _affordable(situation, left, (*repeated, chosen[0])):
        repeated = [*repeated, chosen[0]]
    return tuple(repeated)


def _kin(candidate: Candidate) -> str:
    """Who errs alike: the family, or where it is unknown the model."""
    return candidate.model.family or candidate.model.name
