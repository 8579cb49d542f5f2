"""Means, quantiles and shares over queries, where some are unknown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.domain.features import Floats

KNOWN_ENOUGH = 0.99
"""Share of known costs from which on their mean speaks for all; below, it would flatter."""


def mean_known(values: Floats) -> float | None:
    """Mean of the known values, None where there is none.

    >>> mean_known(np.array([1.0, np.nan, 2.0]))
    1.5
    """
    known = values[np.isfinite(values)]
    return float(known.mean()) if known.size else None


def mean_cost(cost_usd: Floats) -> float | None:
    """Mean cost a query; None as soon as more than one in a hundred is unknown.

    >>> mean_cost(np.array([0.1, np.nan])) is None
    True
    """
    known = np.isfinite(cost_usd)
    if not known.size or known.mean() < KNOWN_ENOUGH:
        return None
    return float(cost_usd[known].mean())


def quantile_known(values: Floats, level: float) -> float | None:
    """Quantile of the known values, None where there is none.

    >>> quantile_known(np.array([1.0, 2.0, 3.0, np.nan]), 0.5)
    2.0
    """
    known = values[np.isfinite(values)]
    return float(np.quantile(known, level)) if known.size else None


def shares(names: Sequence[str]) -> dict[str, float]:
    """Share of each name, the largest first, equal ones by name.

    >>> shares(["a", "b", "b"])
    {'b': 0.6666666666666666, 'a': 0.3333333333333333}
    """
    found, counts = np.unique(np.array(names, dtype=np.str_), return_counts=True)
    order = np.argsort(-counts, kind="stable")
    return {str(found[i]): float(counts[i] / len(names)) for i in order.tolist()}


def by_group(values: Floats, groups: Sequence[str]) -> dict[str, tuple[int, float | None]]:
    """For each group its size and the mean of its known values.

    >>> by_group(np.array([1.0, 0.0, np.nan]), ["x", "x", "y"])
    {'x': (2, 0.5), 'y': (1, None)}
    """
    names = np.array(groups, dtype=np.str_)
    return {
        str(name): (int((names == name).sum()), mean_known(values[names == name]))
        for name in np.unique(names)
    }
