"""Whom to ask at once: the best for their price, of several families."""

from __future__ import annotations

import math
from collections.abc import Iterable

from emafusion.domain.evidence import Situation
from emafusion.policy.options import Options, left_usd

NEAR = 0.05
"""Utility that another family may be behind and still be asked instead: models of one family err
alike."""


def coverage(chances: Iterable[float]) -> float:
    """Probability that at least one is right, as if they erred apart.

    >>> coverage([0.5, 0.5])
    0.75
    """
    return 1.0 - math.prod(1.0 - chance for chance in chances)


def panel_of(situation: Situation, left: Options, count: int) -> tuple[int, ...]:
    """Places of the candidates to ask at once: the best for their price, of several families.

    One that is the only one is asked several times. Stays within the objective's limits.
    """
    may = [k for k, ok in enumerate(left.open) if ok]
    order = sorted(may, key=lambda k: (left.paid[k] - left.quality[k], left.cost_usd[k]))
    chosen: list[int] = []
    budget = left_usd(situation)
    while order and len(chosen) < count:
        taken = {situation.candidates[k].model.family for k in chosen} - {None}
        fresh = [k for k in order if situation.candidates[k].model.family not in taken]
        near = [k for k in fresh if _worth(left, k) >= _worth(left, order[0]) - NEAR]
        pick = near[0] if near else order[0]
        order.remove(pick)
        if budget is None or sum(left.cost_usd[k] for k in (*chosen, pick)) <= budget:
            chosen.append(pick)
    if len(chosen) == 1 and situation.candidates[chosen[0]].model.kind == "language":
        again = 1 if budget is None else int(budget // max(left.cost_usd[chosen[0]], 1e-12))
        return tuple(chosen * (count if budget is None else min(count, max(again, 1))))
    return tuple(chosen)


def _worth(left: Options, k: int) -> float:
    return left.quality[k] - left.paid[k]
