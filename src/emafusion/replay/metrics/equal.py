"""How sure it is at which share of a model's cost a dial is as accurate as that model."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats
from emafusion.replay.metrics.bootstrap import bootstrap_means
from emafusion.replay.metrics.frontier import cost_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """An interval that may be open: None where the bound is a dial that never gets there."""

    low: float | None
    high: float | None


def equal_bounds(
    dial: tuple[Floats, Floats], model: tuple[Floats, Floats], *, draws: int = 1000, seed: int = 0
) -> Bounds:
    """95 % interval of the share of the model's cost at which the dial is as accurate.

    `dial`: score and cost of each query at each setting, float64[n, k] each, NaN where unknown;
    `model`: the same of the model, float64[n]. Both are drawn together, query by query.

    >>> ones = np.ones((4, 1))
    >>> equal_bounds((ones, ones), (np.ones(4), np.full(4, 2.0)))
    Bounds(low=0.5, high=0.5)
    """
    scores, costs = dial
    k = scores.shape[1]
    values = np.hstack((scores, costs, model[0][:, None], model[1][:, None]))
    means = bootstrap_means(values, draws=draws, seed=seed)
    shares = np.array([_share(row[:k], row[k : 2 * k], row[-2:]) for row in means])
    low, high = np.quantile(shares, (0.025, 0.975), method="inverted_cdf").tolist()
    return Bounds(low=_known(low), high=_known(high))


def _share(scores: Floats, costs: Floats, model: Floats) -> float:
    """Share of the model's cost in one draw; infinite where its accuracy is not reached."""
    known = np.isfinite(scores) & np.isfinite(costs)
    usd = cost_of(costs[known], scores[known], float(model[0]))
    return np.inf if usd is None or not model[1] > 0 else usd / float(model[1])


def _known(share: float) -> float | None:
    return share if np.isfinite(share) else None
