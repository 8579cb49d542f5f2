"""How much each view is worth: weights by the choices they lead to while rows were held out.

Least squares would weigh all differences between models alike; a choice is made among the few best
ones. So weights are taken from a small grid by mean utility over several prices of quality, and all
that are as good within a standard error are averaged, which leans to the middle, not to luck.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats

PRICES = (0.0, 0.0, 0.02, 0.05, 0.1, 0.2, 0.4)
"""Quality that the dearest answer must bring over the cheapest; best answers count twice."""

TOLERANCE = 1.0
Mask = npt.NDArray[np.bool_]


class Worth(NamedTuple):
    """Weight of each view, the spread of advantages around the blend, and what choices were worth.

    `utility`: float64[n], mean over the prices of each row's choice.
    """

    weights: Floats
    spread: float
    utility: Floats


class Choices(NamedTuple):
    """What there was to choose from: float64[n, m] each, NaN where not answered or unknown.

    `base`: quality by ability and difficulty alone.
    """

    score: Floats
    base: Floats
    cost_usd: Floats


def fit_weights(
    choices: Choices, views: Sequence[Floats], grids: Sequence[tuple[float, ...]]
) -> Worth:
    """Weigh the views by the utility of the choices they lead to.

    `views`: float64[n, m] each, predicted while rows were held out; `grids`: for each view the
    weights that are tried, one weight where it is fixed.
    """
    known = ~np.isnan(choices.score)
    cost = _relative_costs(choices.cost_usd, known)
    pairs = [np.array(weights) for weights in product(*grids)]
    utilities = np.stack([_utility(choices, cost, _blend(choices, views, w)) for w in pairs])
    best = utilities[int(utilities.mean(axis=1).argmax())]
    short = best - utilities
    error = short.std(axis=1) / np.sqrt(max(short.shape[1], 1))
    good = short.mean(axis=1) <= TOLERANCE * error + 1e-12
    weights = np.mean([pair for pair, keep in zip(pairs, good, strict=True) if keep], axis=0)
    quality = _blend(choices, views, weights)
    spread = _spread(np.where(known, choices.score - quality, 0.0), known)
    return Worth(weights, spread, _utility(choices, cost, quality))


def _blend(choices: Choices, views: Sequence[Floats], weights: Floats) -> Floats:
    """Quality with these weights: float64[n, m]."""
    used = [(view, weight) for view, weight in zip(views, weights.tolist(), strict=True) if weight]
    return sum((weight * view for view, weight in used), choices.base)


def _utility(choices: Choices, cost: Floats, quality: Floats) -> Floats:
    """Mean utility over the prices of each row's choice: float64[n]."""
    rows = np.arange(len(quality))
    known = ~np.isnan(choices.score)
    total = np.zeros(len(quality))
    for price in PRICES:
        chosen = np.where(known, quality - price * cost, -np.inf).argmax(axis=1)
        total += choices.score[rows, chosen] - price * cost[rows, chosen]
    return np.nan_to_num(total / len(PRICES))


def _relative_costs(cost_usd: Floats, known: Mask) -> Floats:
    """Mean cost of each model over that of the dearest of the row, 0..1; unknown counts as 1."""
    held = np.where(np.isnan(cost_usd), 0.0, cost_usd)
    answers = np.maximum((~np.isnan(cost_usd)).sum(axis=0), 1)
    means = np.where(np.isnan(cost_usd).all(axis=0), np.nan, held.sum(axis=0) / answers)
    spread = np.where(known, np.nan_to_num(means), 0.0)
    dearest = np.maximum(spread.max(axis=1, keepdims=True), 1e-12)
    return np.where(np.isnan(means), 1.0, np.nan_to_num(means) / dearest)


def _spread(left: Floats, known: Mask) -> float:
    """Standard deviation of what models have in common across queries: from paired halves.

    The mean residual of a model over half of the rows times that over the other half has the
    noise averaged out.
    """
    halves = (slice(0, None, 2), slice(1, None, 2))
    means = [left[h].sum(axis=0) / np.maximum(known[h].sum(axis=0), 1) for h in halves]
    shared = float((means[0] * means[1]).mean())
    return float(np.sqrt(max(shared, 0.0)) + 0.02)
