"""Means by task of recorded answers: the table that every router has to beat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats, Ints

ALL = ""
"""Name of the row of all tasks together, always the first."""

KAPPA = 10.0
"""Answers that a model's mean over all tasks is worth within one task."""

AnyArray = npt.NDArray[np.generic]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tasks:
    """Means by task and model.

    `names`: t, the first one `ALL`; `models`: m canonical names; `score` (shrunk to the model's
    mean over all), `cost_usd`: float64[t, m], NaN where nothing was recorded.
    """

    names: tuple[str, ...]
    models: tuple[str, ...]
    score: Floats
    cost_usd: Floats

    def to_arrays(self) -> dict[str, AnyArray]:
        """Arrays for an artifact, keys `tasks/...`."""
        return {
            "tasks/names": np.array(self.names, dtype=np.str_),
            "tasks/models": np.array(self.models, dtype=np.str_),
            "tasks/score_or_nan": self.score,
            "tasks/cost_or_nan": self.cost_usd,
        }

    @staticmethod
    def from_arrays(arrays: Mapping[str, AnyArray]) -> Tasks | None:
        """Read an artifact's arrays; None where it has no such table.

        Raises `BadInput` where they do not fit together.
        """
        if "tasks/names" not in arrays:
            return None
        names, models = (_words(arrays, f"tasks/{name}") for name in ("names", "models"))
        shape = len(names), len(models)
        score, cost = (arrays.get(f"tasks/{name}_or_nan") for name in ("score", "cost"))
        if score is None or cost is None or score.shape != shape or cost.shape != shape:
            raise BadInput(f"tasks/... do not fit together: {shape} wanted", where="artifact")
        return Tasks(
            names=names,
            models=models,
            score=score.astype(np.float64),
            cost_usd=cost.astype(np.float64),
        )

    def spread(self, datasets: Sequence[str], models: Sequence[str]) -> tuple[Floats, Floats]:
        """Score and cost by query and model: float64[n, m] each.

        `models`: canonical names. A task that is not known takes the row of all, a model that is
        not known to a task its mean over all; one that is not known at all stays NaN.
        """
        row = {name: t for t, name in enumerate(self.names)}
        column = {name: k for k, name in enumerate(self.models)}
        rows = np.array([row.get(name, 0) for name in datasets], np.int64)
        columns = [column.get(name, -1) for name in models]

        def spread(table: Floats) -> Floats:
            filled = np.where(np.isnan(table), table[:1], table)
            padded = np.hstack((filled, np.full((len(filled), 1), np.nan)))
            return np.asarray(padded[rows][:, columns])

        return spread(self.score), spread(self.cost_usd)


def fit_tasks(
    datasets: Sequence[str], models: Sequence[str], *, score: Floats, cost_usd: Floats
) -> Tasks:
    """Means of an outcome table.

    `datasets`: n, `ALL` where unknown; `models`: m canonical names; `score`, `cost_usd`:
    float64[n, m], NaN where unknown.

    >>> tasks = fit_tasks(
    ...     ["a", "b"], ["m"], score=np.array([[1.0], [0.0]]), cost_usd=np.ones((2, 1))
    ... )
    >>> tasks.names, tasks.score.round(2).ravel().tolist()
    (('', 'a', 'b'), [0.5, 0.55, 0.45])
    """
    known = sorted(set(datasets) - {ALL})
    place = {name: t for t, name in enumerate(known)}
    groups = np.array([place.get(name, -1) for name in datasets], np.int64)
    overall, _ = _means(score, groups, -2)
    rows, costs = [overall], [_means(cost_usd, groups, -2)[0]]
    for t in range(len(known)):
        mean, count = _means(score, groups, t)
        shrunk = (np.nan_to_num(mean) * count + KAPPA * overall) / (count + KAPPA)
        rows.append(np.where(count > 0, shrunk, np.nan))
        costs.append(_means(cost_usd, groups, t)[0])
    return Tasks(
        names=(ALL, *known), models=tuple(models), score=np.array(rows), cost_usd=np.array(costs)
    )


def _means(values: Floats, groups: Ints, group: int) -> tuple[Floats, Floats]:
    """Mean and number of the known values of each column, in one group or (-2) in all."""
    chosen = values if group == -2 else values[groups == group]
    known = np.isfinite(chosen)
    counts = known.sum(axis=0).astype(np.float64)
    sums = np.where(known, chosen, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan), counts


def _words(arrays: Mapping[str, AnyArray], name: str) -> tuple[str, ...]:
    array = arrays.get(name)
    if array is None or array.dtype.kind != "U" or array.ndim != 1:
        raise BadInput(f"array {name} of strings is missing", where="artifact")
    return tuple(str(word) for word in array.tolist())
