"""Choices made beforehand: the best of each task, of each query, or one of two by lot."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats, Ints
from emafusion.domain.model import Objective
from emafusion.estimate.names import canonical
from emafusion.policy.dial import fit_dial, known_costs
from emafusion.policy.seed import draws
from emafusion.replay.policies.chosen import ChosenPolicy
from emafusion.replay.records import Records
from emafusion.replay.tasks import Tasks


def by_table(tasks: Tasks | None, records: Records, weights: Sequence[float]) -> ChosenPolicy:
    """The model whose mean in the query's task is worth most at each setting of the dial.

    Raises `BadInput` where the artifact has no means by task.
    """
    if tasks is None:
        told = "has no table of tasks: fit it again, or use another policy"
        raise BadInput(told, where="artifact")
    names = [canonical(name) for name in records.models]
    value, costs = tasks.spread(records.datasets, names)
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
