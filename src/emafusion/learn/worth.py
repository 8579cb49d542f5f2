"""What a fitted router is worth on its own table, by predictions made while rows were held out.

An estimate before any replay: one call a query, models chosen by held-out quality less lambda times
the model's mean cost, paid by recorded costs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints
from emafusion.learn.outcomes import OutcomeTable
from emafusion.replay.metrics.bootstrap import interval
from emafusion.replay.metrics.calibration import expected_error
from emafusion.replay.metrics.frontier import cost_of, hull, mixed_at

Bools = npt.NDArray[np.bool_]
SETTINGS = 60


def worth(table: OutcomeTable, quality: Floats, *, seed: int = 0) -> dict[str, float]:
    """Figures for the card; those that cannot be had are left out.

    `quality`: float64[n, m], held-out predictions, NaN for rows without any. Only models that
    answered nearly all queries, and whose costs are known, are compared.
    """
    rows: Bools = np.asarray(
        np.isfinite(quality).any(axis=1) & np.isfinite(table.score).any(axis=1)
    )
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


def _comparable(table: OutcomeTable, rows: Bools) -> Ints:
    """Columns of models that answered nearly every query at a known cost."""
    scored = np.isfinite(table.score[rows]).mean(axis=0)
    priced = np.isfinite(table.cost_usd[rows]).mean(axis=0)
    return np.flatnonzero((scored > 0.9) & (priced > 0.9))


def _points(quality: Floats, score: Floats, cost: Floats, *, seed: int) -> dict[str, float]:
    means, costs = score.mean(axis=0), cost.mean(axis=0)
    best = int(means.argmax())
    budget_usd = float(costs[best])
    dial_score, dial_cost = _dial(quality, score, cost, budget_usd=budget_usd)
    told = {
        "best single": float(means[best]),
        "always cheapest": float(means[costs.argmin()]),
        "oracle": float(score.max(axis=1).mean()),
    }
    for name, share in (("its cost", 1.0), ("a quarter of it", 0.25)):
        routed = _at(dial_score, dial_cost, share * budget_usd)
        if routed is not None:
            told |= _gap(f"points over best single at {name}", routed - score[:, best], seed=seed)
            mixed = _mixed(score, costs, share * budget_usd)
            if mixed is not None:
                told |= _gap(f"points over random mix at {name}", routed - mixed, seed=seed)
    equal = cost_of(dial_cost, dial_score.mean(axis=0), float(means[best]))
    if equal is not None and budget_usd > 0:
        told["share of its cost for equal accuracy"] = equal / budget_usd
    return {f"held out/{name}": float(value) for name, value in told.items()}


def _dial(
    quality: Floats, score: Floats, cost: Floats, *, budget_usd: float
) -> tuple[Floats, Floats]:
    """Scores float64[n, k] and mean costs float64[k] at settings from quality alone to frugal."""
    lines = np.arange(len(score))
    settings = [0.0, *np.geomspace(1e-3, 1e3, SETTINGS) / max(budget_usd, 1e-12)]
    costs = cost.mean(axis=0)
    chosen = [(quality - lam * costs).argmax(axis=1) for lam in settings]
    scores = np.stack([score[lines, each] for each in chosen], axis=1)
    return scores, np.array([cost[lines, each].mean() for each in chosen])


def _at(scores: Floats, costs: Floats, budget_usd: float) -> Floats | None:
    """Scores at a mean cost, by lot between the two settings next to it: none is picked by score.

    float64[n]; None below the cheapest.
    """
    found = mixed_at(costs, budget_usd)
    if found is None:
        return None
    low, high, share = found
    return (1 - share) * scores[:, low] + share * scores[:, high]


def _mixed(score: Floats, costs: Floats, budget_usd: float) -> Floats | None:
    """The best that a draw by lot between two models gives at a cost: float64[n]."""
    corners, heights = hull(costs, score.mean(axis=0))
    gaps = np.abs(costs[:, None] - corners) + np.abs(score.mean(axis=0)[:, None] - heights)
    return _at(score[:, gaps.argmin(axis=0)], corners, budget_usd)


def _gap(name: str, difference: Floats, *, seed: int) -> dict[str, float]:
    """Its mean in points, with the bounds of a paired bootstrap."""
    found = interval(difference, seed=seed)
    if found is None:
        return {}
    return {
        name: 100 * found.mean,
        f"{name}, low": 100 * found.low,
        f"{name}, high": 100 * found.high,
    }
