"""The dial: one number in 0..1 mapped onto equal steps of predicted mean quality.

A raw weight on cost would mean something else in every pool and change with every price list. So
the frontier of mean quality against cost is computed on reference queries, and the dial moves
along its quality in equal steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats
from emafusion.domain.model import Objective

GRID = 40


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dial:
    """Frontier of a pool on reference queries.

    `lambdas`: float64[k] descending, quality per US dollar; `qualities`: float64[k] ascending, mean
    quality reached; `costs_usd`: float64[k], mean cost per query. The last lambda is 0.

    >>> dial = fit_dial(np.array([[0.5, 0.9]]), np.array([[0.001, 0.01]]))
    >>> dial.quality_per_usd(Objective(quality_weight=1.0))
    0.0
    """

    lambdas: Floats
    qualities: Floats
    costs_usd: Floats

    def quality_per_usd(self, objective: Objective) -> float:
        """Lambda: how much quality a dollar must buy.

        A stated value of an answer decides; otherwise `quality_weight` picks the place on the
        frontier, where 0 is the cheapest end and 1 the best.
        """
        if objective.answer_value_usd is not None:
            return 1.0 / objective.answer_value_usd
        return float(self.lambdas[self._place(objective.quality_weight)])

    def expected(self, objective: Objective) -> tuple[float, float]:
        """Mean quality and mean cost_usd that the frontier promises for this objective."""
        lam = self.quality_per_usd(objective)
        place = int(np.argmin(np.abs(self.lambdas - lam)))
        return float(self.qualities[place]), float(self.costs_usd[place])

    def _place(self, weight: float) -> int:
        if weight >= 1.0:
            return len(self.lambdas) - 1  # "best answers" is not "as good, but cheaper"
        low, high = self.qualities[0], self.qualities[-1]
        target = float(low + weight * (high - low))
        return int(self.qualities.searchsorted(target - 1e-12))


def fit_dial(quality: Floats, cost_usd: Floats) -> Dial:
    """Make the dial of a pool.

    `quality`, `cost_usd`: float64[n_queries, n_candidates] on reference queries; unknown cost is
    NaN and counts as the dearest known of its query.
    """
    cost_usd = known_costs(cost_usd)
    lambdas = _grid(cost_usd)
    points = [_point(quality, cost_usd, lam) for lam in lambdas]
    qualities = np.maximum.accumulate([q for q, _ in points])
    return Dial(
        lambdas=lambdas,
        qualities=np.asarray(qualities),
        costs_usd=np.asarray([c for _, c in points]),
    )


def known_costs(cost_usd: Floats) -> Floats:
    """Replace unknown costs by the dearest known one of the row: unknown is never cheap.

    >>> known_costs(np.array([0.1, np.nan, 0.3])).tolist()
    [0.1, 0.3, 0.3]
    """
    if not math.isnan(float(cost_usd.sum())):
        return cost_usd  # the usual case, and asked on the request path
    known = np.where(np.isnan(cost_usd), -np.inf, cost_usd)
    dearest = known.max(axis=-1, keepdims=True)
    dearest = np.where(np.isfinite(dearest), dearest, 0.0)
    return np.where(np.isnan(cost_usd), dearest, cost_usd)


def _grid(cost_usd: Floats) -> Floats:
    spread = float((cost_usd.max(axis=1) - cost_usd.min(axis=1)).mean())
    if spread <= 0.0:
        return np.zeros(1)
    return np.append(np.geomspace(1e3 / spread, 1e-3 / spread, GRID), 0.0)


def _point(quality: Floats, cost_usd: Floats, lam: float) -> tuple[float, float]:
    utility = quality - lam * cost_usd
    # Of equally useful candidates the cheaper one: without this, lambda 0 would pick at random.
    best = utility >= utility.max(axis=1, keepdims=True) - 1e-12
    chosen = np.where(best, cost_usd, np.inf).argmin(axis=1)
    rows = np.arange(len(quality))
    return float(quality[rows, chosen].mean()), float(cost_usd[rows, chosen].mean())
