"""What a fitted router is worth on its own table, by predictions made while rows were held out.

An estimate before any replay: one call a query, models chosen by held-out quality less lambda times
the model's mean cost, paid by recorded costs.
"""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats
from emafusion.learn.outcomes import OutcomeTable
from emafusion.replay.metrics.bootstrap import interval
from emafusion.replay.metrics.calibration import expected_error
from emafusion.replay.metrics.frontier import at_cost, cost_of

SETTINGS = 60


def worth(table: OutcomeTable, quality: Floats, *, seed: int = 0) -> dict[str, float]:
    """Figures for the card; those that cannot be had are left out.

    `quality`: float64[n, m], held-out predictions, NaN for rows without any. Only models that
    answered nearly all queries, and whose costs are known, are compared.
    """
    rows = np.isfinite(quality).any(axis=1) & np.isfinite(table.score).any(axis=1)
    figures: dict[str, float] = {}
    known = np.isfinite(quality) & np.isfinite(table.score)
    error = expected_error(quality[known], table.score[known])
    if error is not None:
        figures["held out/calibration error of quality"] = error
    columns = _comparable(table, rows)
    if columns.size < 2:
        return figures
    score = np.nan_to_num(table.score[rows][:, columns])
    cost = np.nan_to_num(table.cost_usd[rows][:, columns])
    return figures | _points(quality[rows][:, columns], score, cost, seed=seed)


def _comparable(table: OutcomeTable, rows: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> Floats:
    """Columns of models that answered nearly every query at a known cost."""
    scored = np.isfinite(table.score[rows]).mean(axis=0)
    priced = np.isfinite(table.cost_usd[rows]).mean(axis=0)
    return np.flatnonzero((scored > 0.9) & (priced > 0.9))


def _points(quality: Floats, score: Floats, cost: Floats, *, seed: int) -> dict[str, float]:
    means, costs = score.mean(axis=0), cost.mean(axis=0)
    best = int(means.argmax())
    budget = float(costs[best])
    lines = np.arange(len(score))
    settings = [0.0, *np.geomspace(1e-3, 1e3, SETTINGS) / max(budget, 1e-12)]
    chosen = [(quality - lam * costs).argmax(axis=1) for lam in settings]
    dial_cost = np.array([cost[lines, each].mean() for each in chosen])
    dial_score = np.array([score[lines, each].mean() for each in chosen])
    within = [place for place in range(len(settings)) if dial_cost[place] <= budget * (1 + 1e-9)]
    figures = {
        "held out/best single": float(means[best]),
        "held out/always cheapest": float(means[costs.argmin()]),
        "held out/oracle": float(score.max(axis=1).mean()),
    }
    if within:
        top = max(within, key=lambda place: float(dial_score[place]))
        gap = interval(score[lines, chosen[top]] - score[:, best], seed=seed)
        if gap is not None:
            figures["held out/points over best single at its cost"] = 100 * gap.mean
            figures["held out/points over best single at its cost, low"] = 100 * gap.low
            figures["held out/points over best single at its cost, high"] = 100 * gap.high
    mix = at_cost(costs, means, budget / 4)
    quarter = at_cost(dial_cost, dial_score, budget / 4)
    if mix is not None and quarter is not None:
        figures["held out/points over best single at a quarter"] = 100 * (quarter - means[best])
        figures["held out/random mix at a quarter"] = 100 * (mix - means[best])
    equal = cost_of(dial_cost, dial_score, float(means[best]))
    if equal is not None and budget > 0:
        figures["held out/share of its cost for equal accuracy"] = equal / budget
    return {name: float(value) for name, value in figures.items()}
