"""What a replay is compared with: single models, the best of each task, the best of each query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.replay.metrics.means import mean_cost, mean_known
from emafusion.replay.records import Bools, Records

FOLDS = 5


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Baseline:
    """One answer a query by some rule.

    `score`, `cost_usd`: float64[n], NaN where unknown; `asked`: bool[n], whether there was one.
    """

    name: str
    score: Floats
    cost_usd: Floats
    asked: Bools

    @property
    def accuracy(self) -> float | None:
        """Mean score."""
        return mean_known(self.score)

    @property
    def usd(self) -> float | None:
        """Mean cost of a query that was asked, None where unknown."""
        return mean_cost(self.cost_usd[self.asked])


def single(records: Records, k: int, name: str | None = None) -> Baseline:
    """Always model k."""
    return Baseline(
        name=name or records.models[k],
        score=records.score[:, k],
        cost_usd=records.cost_usd[:, k],
        asked=records.asked[:, k],
    )


def best_single(records: Records) -> int | None:
    """Column of the model of the highest mean score here; of equal ones the cheaper."""
    return _best(_means(records.score), _means(records.cost_usd))


def cheapest(records: Records) -> int | None:
    """Column of the model of the least mean cost; None where no cost is known."""
    costs = _means(records.cost_usd)
    return None if np.isnan(costs).all() else int(np.nanargmin(costs))


def picked(records: Records, columns: Ints, name: str) -> Baseline:
    """One model a query. `columns`: int64[n], -1 for none."""
    rows, held = np.arange(len(columns)), columns >= 0
    return Baseline(
        name=name,
        score=np.where(held, records.score[rows, columns], np.nan),
        cost_usd=np.where(held, records.cost_usd[rows, columns], np.nan),
        asked=held & records.asked[rows, columns],
    )


def by_oracle(records: Records) -> Ints:
    """The cheapest of the best-scored answers of each query: int64[n], -1 where none is scored."""
    score = np.where(np.isfinite(records.score), records.score, -np.inf)
    costs = np.where(np.isfinite(records.cost_usd), records.cost_usd, np.inf)
    best = score.max(axis=1)
    ties = score >= best[:, None]
    # Of equal scores the cheapest; where no cost is known the first.
    columns = np.where(ties, np.minimum(costs, 1e300), np.inf).argmin(axis=1)
    return np.where(np.isfinite(best), columns, -1)


def by_task(records: Records, *, seed: int = 0) -> Ints:
    """The best model of each data set, chosen on the other folds of it: int64[n], -1 for none.

    Held out, since the best on the same rows would be read off the answers.
    """
    n = len(records.datasets)
    folds = np.random.default_rng(seed).permutation(n) % FOLDS
    names = np.array(records.datasets, dtype=np.str_)
    columns = np.full(n, -1, np.int64)
    for name in np.unique(names):
        here = names == name
        for fold in range(FOLDS):
            rest, held = here & (folds != fold), here & (folds == fold)
            best = _best(_means(records.score[rest if rest.any() else folds != fold]))
            if best is not None:
                columns[held] = best
    absent = (columns >= 0) & ~records.asked[np.arange(n), np.maximum(columns, 0)]
    overall = best_single(records)
    columns[absent] = -1 if overall is None else overall
    return columns


def singles(records: Records) -> tuple[Floats, Floats, Sequence[str]]:
    """Mean cost and mean score of each model of known cost and score, and their names."""
    costs, scores = _means(records.cost_usd), _means(records.score)
    held = np.isfinite(costs) & np.isfinite(scores)
    names = [name for name, keep in zip(records.models, held.tolist(), strict=True) if keep]
    return costs[held], scores[held], names


def _means(values: Floats) -> Floats:
    """Mean of the known values of each column, NaN where there is none."""
    known = np.isfinite(values)
    counts = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _best(scores: Floats, costs: Floats | None = None) -> int | None:
    """Place of the highest score, the cheaper of equal ones."""
    if not np.isfinite(scores).any():
        return None
    ties = scores >= np.nanmax(scores)
    order = np.zeros(len(scores)) if costs is None else np.nan_to_num(costs, nan=np.inf)
    return int(np.where(ties, np.minimum(order, 1e300), np.inf).argmin())
