"""Bootstrap over queries: the same draws for everything, so that differences are paired.

Efron and Tibshirani, "An Introduction to the Bootstrap" (1993), percentile intervals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats

CHUNK = 2_000_000
"""Cells of the table of draws that are held at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A mean and the bounds that hold it with the chance asked for."""

    mean: float
    low: float
    high: float


def bootstrap_means(values: Floats, *, draws: int = 1000, seed: int = 0) -> Floats:
    """Means of each column on resampled queries: float64[draws, k].

    `values`: float64[n, k], NaN where unknown, which counts neither way. Equal `n`, `draws` and
    `seed` draw the same queries: subtract columns, of one call or of several, for paired
    differences.
    """
    known = np.isfinite(values)
    both = np.hstack((np.where(known, values, 0.0), known.astype(np.float64)))
    n, k = values.shape
    rng = np.random.default_rng(seed)
    sums: list[Floats] = []
    step = max(1, CHUNK // max(n, 1))
    for start in range(0, draws, step):
        rows = min(step, draws - start)
        drawn = rng.integers(0, n, (rows, n)) + np.arange(rows)[:, None] * n
        counts = np.bincount(drawn.ravel(), minlength=rows * n).reshape(rows, n)
        sums.append(counts.astype(np.float64) @ both)
    table = np.vstack(sums)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(table[:, :k] / table[:, k:])


def interval(
    values: Floats, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> Interval | None:
    """Interval of the mean of float64[n]; None where nothing is known.

    >>> interval(np.zeros(5))
    Interval(mean=0.0, low=0.0, high=0.0)
    >>> interval(np.full(3, np.nan)) is None
    True
    """
    known = values[np.isfinite(values)]
    if not known.size:
        return None
    means = bootstrap_means(known[:, None], draws=draws, seed=seed)[:, 0]
    low, high = np.quantile(means, ((1 - level) / 2, (1 + level) / 2)).tolist()
    return Interval(mean=float(known.mean()), low=float(low), high=float(high))


def intervals(
    values: Floats, *, level: float = 0.95, draws: int = 1000, seed: int = 0
) -> tuple[Interval | None, ...]:
    """Interval of each column of float64[n, k], all on the same draws; None for unknown columns."""
    held = np.flatnonzero(np.isfinite(values).any(axis=0))
    found: list[Interval | None] = [None] * values.shape[1]
    if not held.size:
        return tuple(found)
    columns = values[:, held]
    means = bootstrap_means(columns, draws=draws, seed=seed)
    bounds = np.nanquantile(means, ((1 - level) / 2, (1 + level) / 2), axis=0)
    middle = np.nanmean(columns, axis=0)
    for place, k in enumerate(held.tolist()):
        found[k] = Interval(
            mean=float(middle[place]), low=float(bounds[0, place]), high=float(bounds[1, place])
        )
    return tuple(found)
