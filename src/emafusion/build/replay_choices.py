"""Choices made beforehand: the best of each task, of each query, or one of two by lot."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats, Ints
from emafusion.domain.model import Objective
from emafusion.estimate.arrays import AnyArray
from emafusion.estimate.names import canonical
from emafusion.policy.dial import fit_dial, known_costs
from emafusion.policy.seed import draws
from emafusion.replay.policies.chosen import ChosenPolicy
from emafusion.replay.records import Records

GLOBAL = ""
"""Name of the row of all tasks together."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tasks:
    """Means by task of what an artifact was fitted on.

    `names`: t, the first one `GLOBAL`; `models`: m canonical names; `score`, `cost_usd`:
    float64[t, m], NaN where nothing was recorded.
    """

    names: tuple[str, ...]
    models: tuple[str, ...]
    score: Floats
    cost_usd: Floats


def tasks_of(arrays: Mapping[str, AnyArray]) -> Tasks:
    """Read `tasks/...` of an artifact. Raises `BadInput` where it has none."""
    if "tasks/names" not in arrays:
        raise BadInput(
            "has no table of tasks: fit it again, or use another policy", where="artifact"
        )
    return Tasks(
        names=tuple(str(name) for name in arrays["tasks/names"].tolist()),
        models=tuple(str(name) for name in arrays["tasks/models"].tolist()),
        score=arrays["tasks/score_or_nan"].astype(np.float64),
        cost_usd=arrays["tasks/cost_or_nan"].astype(np.float64),
    )


def spread_tasks(tasks: Tasks, records: Records) -> tuple[Floats, Floats]:
    """Score and cost by query and model of the replay: float64[n, m] each.

    An unknown task takes the row of all; a model unknown to a task its mean over all, a model that
    is unknown altogether stays NaN.
    """
    row = {name: t for t, name in enumerate(tasks.names)}
    column = {name: k for k, name in enumerate(tasks.models)}
    rows = np.array([row.get(name, 0) for name in records.datasets], np.int64)
    columns = [column.get(canonical(name), -1) for name in records.models]

    def spread(table: Floats) -> Floats:
        filled = np.where(np.isnan(table), table[:1], table)
        padded = np.hstack((filled, np.full((len(filled), 1), np.nan)))
        return np.asarray(padded[rows][:, columns])

    return spread(tasks.score), spread(tasks.cost_usd)


def by_table(tasks: Tasks, records: Records, weights: Sequence[float]) -> ChosenPolicy:
    """The model whose mean in the query's task is worth most at each setting of the dial."""
    value, costs = spread_tasks(tasks, records)
    picked = most_useful(value, costs, records=records, weights=weights)
    return _policy(picked, records, reason="best of its task")


def by_oracle(records: Records, weights: Sequence[float]) -> ChosenPolicy:
    """The model that is worth most on each query in truth. Raises `BadInput` without scores."""
    if not records.is_scored:
        raise BadInput("the oracle needs the column score, which is empty", where="outcome table")
    picked = most_useful(records.score, records.cost_usd, records=records, weights=weights)
    return _policy(picked, records, reason="best of all in truth")


def by_lot(
    names: str, records: Records, weights: Sequence[float], *, seed: int = 0
) -> ChosenPolicy:
    """One of two models by lot; the weight is the chance of the second one."""
    parts = [name.strip() for name in names.split(",")]
    if len(parts) != 2 or parts[0] == parts[1]:
        raise BadInput("names two different models, as in random-mix:A,B", where="--policy")
    pair = [records.place(name) for name in parts]
    chosen: dict[tuple[str, float], tuple[str, float]] = {}
    for i, query in enumerate(records.queries):
        there = [k for k in pair if records.row[i, k] >= 0]
        drawn, _ = draws(seed, query.query_id)
        for weight in weights:
            if len(there) == 2:
                second = drawn < weight
                chance = weight if second else 1.0 - weight
                chosen[query.query_id, weight] = records.models[pair[second]], chance
            elif there:
                chosen[query.query_id, weight] = records.models[there[0]], 1.0
    return ChosenPolicy(chosen=chosen, reason="drawn by lot")


def most_useful(
    value: Floats, cost_usd: Floats, *, records: Records, weights: Sequence[float]
) -> dict[float, Ints]:
    """By weight the column of the most useful recorded model of each query: int64[n].

    `value`: float64[n, m], NaN where unknown. A setting means equal steps of mean value.
    """
    worth = np.where(records.asked & np.isfinite(value), value, 0.0)
    costs = known_costs(np.where(records.asked, cost_usd, np.nan))
    dial = fit_dial(worth, costs)
    picked: dict[float, Ints] = {}
    for weight in weights:
        lam = dial.quality_per_usd(Objective(quality_weight=weight))
        utility = np.where(records.asked, worth - lam * costs, -np.inf)
        best = utility >= utility.max(axis=1, keepdims=True) - 1e-12
        picked[weight] = np.where(best, costs, np.inf).argmin(axis=1)
    return picked


def _policy(picked: dict[float, Ints], records: Records, *, reason: str) -> ChosenPolicy:
    chosen = {
        (query.query_id, weight): (records.models[k], 1.0)
        for weight, columns in picked.items()
        for query, k in zip(records.queries, map(int, columns), strict=True)
    }
    return ChosenPolicy(chosen=chosen, reason=reason)
