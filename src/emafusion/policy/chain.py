"""The chain of a fixed cascade: few models, each better and dearer than the one before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.domain.features import Floats

LONGEST = 4


def chain_of(
    names: Sequence[str], quality: Floats, cost_usd: Floats, *, longest: int = LONGEST
) -> tuple[str, ...]:
    """Names from cheap to dear, each better than all before; the best is always the last.

    `quality`, `cost_usd`: float64[m], expected; unknown cost counts as dearest. Of more than
    `longest`, those that divide the way from the first quality to the best one evenly.

    >>> chain_of(["a", "b", "c"], np.array([0.5, 0.4, 0.9]), np.array([1.0, 2.0, 3.0]))
    ('a', 'c')
    """
    costs = np.where(np.isnan(cost_usd), np.inf, cost_usd)
    front: list[int] = []
    for k in np.lexsort((-quality, costs)).tolist():
        if not front or quality[k] > quality[front[-1]]:
            front.append(int(k))
    if len(front) > longest:
        low, high = float(quality[front[0]]), float(quality[front[-1]])
        steps = [low + (high - low) * step / (longest - 1) for step in range(longest)]
        nearest = [int(np.abs(quality[front] - step).argmin()) for step in steps]
        front = [front[k] for k in sorted({0, *nearest, len(front) - 1})]
    return tuple(names[k] for k in front)
