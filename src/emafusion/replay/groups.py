"""Where a replay wins and loses: accuracy by data set and class, beside the best single model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from msgspec import Struct

from emafusion.domain.features import Floats
from emafusion.replay.metrics.bootstrap import Interval, interval
from emafusion.replay.metrics.means import mean_known


class Group(Struct, frozen=True, kw_only=True):
    """Queries of one kind. `axis`: `dataset` or an axis of the taxonomy; accuracies in 0..1."""

    axis: str
    name: str
    queries: int
    accuracy: float | None
    best_single: float | None
    over_best: Interval | None


def groups_of(
    axes: Mapping[str, Sequence[str]], score: Floats, best: Floats, *, seed: int = 0
) -> tuple[Group, ...]:
    """A row for each name of each axis, by axis, the largest first.

    `axes`: n names each; `score`, `best`: float64[n], what was given and what the best single model
    scored, NaN where unknown.

    >>> rows = groups_of({"dataset": ["a", "a", "b"]}, np.ones(3), np.zeros(3))
    >>> [(row.name, row.queries, row.over_best.mean) for row in rows]
    [('a', 2, 1.0), ('b', 1, 1.0)]
    """
    rows: list[Group] = []
    for axis, names in axes.items():
        column = np.array(names, dtype=np.str_)
        found, counts = np.unique(column, return_counts=True)
        for place in np.argsort(-counts, kind="stable").tolist():
            here = column == found[place]
            rows.append(
                Group(
                    axis=axis,
                    name=str(found[place]),
                    queries=int(counts[place]),
                    accuracy=mean_known(score[here]),
                    best_single=mean_known(best[here]),
                    over_best=interval(np.asarray(score[here] - best[here]), seed=seed),
                )
            )
    return tuple(rows)
