"""Model judges without any label: who follows what all have in common ranks answers best.

One factor behind the ranks that the judges give: the correlation of two judges is the product of
their loadings, so three judges tell all three. Grades stay graded; nothing is cut into right and
wrong. It ranks answers. It tells no level: errors that all judges share look like truth.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from emafusion.domain.features import Floats
from emafusion.judge.curve import Curve
from emafusion.judge.heads import ANY, Heads
from emafusion.learn.panel.curves import at
from emafusion.learn.panel.heads import FEWEST, covariance

CONSTANT = 0.97
"""A judge that gives one grade this often says nothing that could be weighed."""
COMMON = 0.15
"""Mean correlation below which the judges have too little in common to weigh them by it."""
SURPRISE = 3.0
"""Standard errors by which two judges may be more alike than one factor makes them."""
SPREAD = 1.5
"""Standard deviation of the log-odds of the whole panel: stated, since nothing tells it."""
_KNOTS, _ROUNDS, _MOST = 40, 200, 0.97


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Unlabelled:
    """Judges weighed by what they have in common.

    `loadings`: float64[k], 0..1; `alarms`: what speaks against trusting them, in words.
    """

    heads: Heads
    loadings: Floats
    alarms: tuple[str, ...]


def fit_unlabelled(judges: tuple[str, ...], value: Floats) -> Unlabelled | None:
    """Weigh judges by their grades alone: float64[N, k] in 0..1, NaN for gaps.

    None where no judge tells answers apart.
    """
    alarms = [f"{name} gives nearly one grade" for name in _constant(judges, value)]
    kept = [k for k, name in enumerate(judges) if name not in _constant(judges, value)]
    kept = [k for k in kept if np.isfinite(value[:, k]).sum() >= FEWEST]
    if not kept:
        return None
    names = tuple(judges[k] for k in kept)
    curves = [_rank_curve(value[np.isfinite(value[:, k]), k]) for k in kept]
    columns = zip(curves, kept, strict=True)
    odds = np.stack([_along(curve, value[:, k]) for curve, k in columns], axis=1)
    cov = covariance(odds)
    alike = cov / np.sqrt(np.outer(np.diag(cov), np.diag(cov)))
    loadings = _loadings(alike)
    mean = float(alike[~np.eye(len(names), dtype=bool)].mean()) if len(names) > 1 else 0.0
    if len(names) < 3 or mean < COMMON:
        alarms.append(f"{len(names)} judges, correlation {mean:.2f}: each weighs the same")
        loadings = np.ones(len(names))
    elif len(names) > 3:
        alarms += _too_alike(names, alike, loadings, rows=len(value))
    weights = loadings * SPREAD / max(float(np.sqrt(loadings @ cov @ loadings)), 1e-9)
    heads = Heads(
        names=names,
        curves=tuple(curves),
        length=(0.0,) * len(names),
        usual=0.0,
        cov=cov,
        tasks=MappingProxyType({ANY: (0.0, *weights.round(5).tolist())}),
    )
    return Unlabelled(heads=heads, loadings=loadings, alarms=tuple(alarms))


def _constant(judges: tuple[str, ...], value: Floats) -> list[str]:
    """Judges whose commonest grade is nearly all of them."""
    found: list[str] = []
    for k, name in enumerate(judges):
        said = value[np.isfinite(value[:, k]), k]
        _, counts = np.unique(said, return_counts=True)
        if len(said) and counts.max() >= CONSTANT * len(said):
            found.append(name)
    return found


def _rank_curve(said: Floats) -> Curve:
    """Value -> mean rank among its grades, of mean 0 and standard deviation about 1."""
    levels, counts = np.unique(said, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2.0 - 0.5) / len(said)
    if len(levels) > _KNOTS:
        few = np.linspace(0, len(levels) - 1, _KNOTS).round().astype(np.int64)
        levels, ranks = levels[few], ranks[few]
    odds = (ranks - 0.5) * np.sqrt(12.0)
    return Curve(x=tuple(levels.tolist()), y=tuple(odds.round(6).tolist()))


def _along(curve: Curve, value: Floats) -> Floats:
    odds = np.full(len(value), np.nan)
    known = np.isfinite(value)
    odds[known] = at(curve, value[known])
    return odds


def _loadings(alike: Floats) -> Floats:
    """float64[k]: a with `a_i a_j` nearest to the correlations, the surer judges first."""
    k = len(alike)
    loadings = np.full(k, 0.7)
    for _ in range(_ROUNDS if k > 1 else 0):
        for i in range(k):
            others = np.arange(k) != i
            own = loadings[others]
            sure = 1.0 / (1.0 - np.minimum(own**2, 0.95))
            top, bottom = sure * own @ alike[i, others], float(sure * own @ own)
            loadings[i] = min(max(float(top) / max(bottom, 1e-9), 0.0), _MOST)
    return loadings


def _too_alike(names: tuple[str, ...], alike: Floats, loadings: Floats, *, rows: int) -> list[str]:
    """The pair whose errors are most alike, where that is beyond chance."""
    expected = np.outer(loadings, loadings)
    surplus = (alike - expected) / ((1.0 - expected**2) / np.sqrt(rows))
    np.fill_diagonal(surplus, -np.inf)
    i, j = divmod(int(surplus.argmax()), len(names))
    if surplus[i, j] <= SURPRISE:
        return []
    return [f"{names[i]} and {names[j]} are more alike than the others make them"]
