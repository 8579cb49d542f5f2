"""Measuring model judges together, on graded answers whose truth is known.

Each judge's curve is Platt's line, drawn to a stated slope, and from some hundred labels on the
isotonic curve around it. Then one set of non-negative weights for all tasks and one for each task
that has labels, drawn to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np

from emafusion.domain.features import Floats
from emafusion.judge.curve import LIMIT, Curve
from emafusion.judge.heads import ANY, Heads
from emafusion.learn.panel.curves import Fine, at, curve_through, offset_curve
from emafusion.learn.panel.logistic import Prior, non_negative
from emafusion.learn.panel.looks import Bools

SLOPE = 4.0
"""Log-odds from a judge's lowest to its highest value, before any label."""
SLOPE_RIDGE = 0.25
"""Weight of that, in labels of even odds at a distance of one whole scale."""
FINE = Fine(parts=40, shrink=200.0, bound=LIMIT)
"""Labels at a value for which the curve goes half-way from Platt's line to what they say."""
RIDGE = 30.0
"""Labels that the weights of all tasks count as beside those of one."""
RELATED = 0.5
"""Correlation of judges' errors that is assumed before any label."""
LEAST = 0.01
"""Share of that, at least, for a judge that hardly varies."""
FEWEST = 20
"""Graded answers with a label, of a judge or of a task, from which something is learned."""
LONGEST_TASK = 1_000.0
"""Labels that one task counts as in the weights of all tasks."""
LENGTHS = 100.0
"""Labels for which half of a measured bias for length is believed."""
_KNOTS = np.arange(0, 21) / 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Graded:
    """N answers that k judges graded.

    `value`: float64[N, k] in 0..1, NaN where a judge gave none; `right`: float64[N] in 0..1;
    `base`: float64[N], log-odds known before any grade; `log_length`: float64[N], NaN where
    unknown; `tasks`: for each answer the tasks it counts to, such as `form/text`.
    """

    judges: tuple[str, ...]
    value: Floats
    right: Floats
    base: Floats
    log_length: Floats
    tasks: Sequence[tuple[str, ...]]

    def where(self, rows: Bools) -> Graded:
        """Some of the answers."""
        kept: list[int] = np.flatnonzero(rows).tolist()
        return replace(
            self,
            value=self.value[kept],
            right=self.right[kept],
            base=self.base[kept],
            log_length=self.log_length[kept],
            tasks=[self.tasks[i] for i in kept],
        )


def fit_heads(graded: Graded) -> Heads | None:
    """Measure judges; None where no judge has enough graded answers of both kinds."""
    known = [k for k in range(len(graded.judges)) if _is_told(graded.value[:, k], graded.right)]
    if not known:
        return None
    few = replace(
        graded, judges=tuple(graded.judges[k] for k in known), value=graded.value[:, known]
    )
    few = few.where(np.asarray(np.isfinite(few.value).any(axis=1)))
    curves, odds = _curves(few)
    usual, length = _lengths(few, odds)
    longer = np.nan_to_num(few.log_length - usual)
    odds = odds - length * longer[:, None]
    cov = covariance(odds)
    return Heads(
        names=few.judges,
        curves=tuple(curves),
        length=tuple(length.tolist()),
        usual=usual,
        cov=cov,
        tasks=MappingProxyType(_tasks(few, filled(odds, cov))),
    )


def covariance(odds: Floats) -> Floats:
    """float64[k, k] of columns of mean 0 with gaps, from the rows that both have; positive."""
    known = np.isfinite(odds)
    there, held = known.astype(np.float64), np.where(known, odds, 0.0)
    pairs = there.T @ there
    cov = held.T @ held / np.maximum(pairs, 1.0)
    values, vectors = np.linalg.eigh((cov + cov.T) / 2.0)
    least = 1e-3 * max(float(values.max()), 1e-6)
    return np.asarray((vectors * np.maximum(values, least)) @ vectors.T, dtype=np.float64)


def filled(odds: Floats, cov: Floats) -> Floats:
    """The same without gaps: the silent are expected as those who spoke foretell."""
    result = np.where(np.isfinite(odds), odds, 0.0)
    patterns, place = np.unique(np.isfinite(odds), axis=0, return_inverse=True)
    for p, spoke in enumerate(patterns):
        own, others = np.flatnonzero(spoke), np.flatnonzero(~spoke)
        if len(own) and len(others):
            rows = place.ravel() == p
            slopes = np.linalg.solve(cov[np.ix_(own, own)], cov[np.ix_(own, others)])
            result[np.ix_(rows, others)] = result[np.ix_(rows, own)] @ slopes
    return result


def _is_told(value: Floats, right: Floats) -> bool:
    known = right[np.isfinite(value)]
    return len(known) >= FEWEST and known.min() < known.max()


def _curves(graded: Graded) -> tuple[list[Curve], Floats]:
    """Curve of each judge, and the log-odds it gives: float64[N, k], mean 0, NaN for gaps."""
    curves: list[Curve] = []
    odds = np.full_like(graded.value, np.nan)
    for k in range(len(graded.judges)):
        known = np.isfinite(graded.value[:, k])
        curve = judge_curve(graded.value[known, k], graded.right[known])
        odds[known, k] = at(curve, graded.value[known, k])
        curves.append(curve)
    return curves, odds


def judge_curve(value: Floats, right: Floats) -> Curve:
    """Platt's line, then the isotonic curve around it; mean 0 over these answers."""
    middle = float(value.mean())
    prior = Prior(weights=np.array([SLOPE]), ridge=np.array([SLOPE_RIDGE]))
    theta = non_negative((value - middle)[:, None], right, prior=prior)
    line = curve_through(_KNOTS, theta[1] * (_KNOTS - middle), bound=LIMIT)
    base = np.full(len(right), theta[0]) + theta[1] * (value - middle) - at(line, value)
    return offset_curve(value, base, right, prior=line, fine=FINE)


def _lengths(graded: Graded, odds: Floats) -> tuple[float, Floats]:
    """The usual log length, and what each judge gives for length where truth is equal."""
    known = np.isfinite(graded.log_length)
    slopes = np.zeros(odds.shape[1])
    if known.sum() < FEWEST:
        return 0.0, slopes
    usual = float(np.median(graded.log_length[known]))
    for k in range(odds.shape[1]):
        rows = known & np.isfinite(odds[:, k])
        longer = graded.log_length[rows] - usual
        design = np.stack([np.ones_like(longer), graded.right[rows], longer], axis=1)
        inner = design.T @ design + 1e-6 * np.eye(3)
        slope = float(np.linalg.solve(inner, design.T @ odds[rows, k])[2])
        slopes[k] = slope * rows.sum() / (rows.sum() + LENGTHS)
    return usual, slopes.round(4)


def _tasks(graded: Graded, odds: Floats) -> Mapping[str, tuple[float, ...]]:
    """Bias and weights for any task, then for each task that has labels, forms before data sets."""
    width: int = odds.shape[1]
    ridge = RIDGE * np.clip(odds.var(axis=0), LEAST, 1.0)  # who tells little is held little
    equal = Prior(weights=np.full(width, 1.0 / (1.0 + (width - 1) * RELATED)), ridge=ridge)
    names = [tasks[-1] if tasks else ANY for tasks in graded.tasks]
    count = {name: names.count(name) for name in dict.fromkeys(names)}
    weight = np.array([min(1.0, LONGEST_TASK / count[name]) for name in names])
    common = non_negative(odds, graded.right, prior=equal, base=graded.base, weight=weight)
    fitted = {ANY: common}
    for level in range(max(map(len, graded.tasks), default=0)):
        own = np.array([tasks[level] if len(tasks) > level else ANY for tasks in graded.tasks])
        for name in np.unique(own[own != ANY]).tolist():
            rows = own == name
            if rows.sum() >= FEWEST and name not in fitted:
                above = next((t for t in reversed(_above(graded, rows, level)) if t in fitted), ANY)
                wider = fitted[above]
                prior = Prior(weights=wider[1:], ridge=ridge, bias=float(wider[0]))
                fitted[name] = non_negative(
                    odds[rows], graded.right[rows], prior=prior, base=graded.base[rows]
                )
    return {name: tuple(theta.round(5).tolist()) for name, theta in fitted.items()}


def _above(graded: Graded, rows: Bools, level: int) -> tuple[str, ...]:
    """Tasks that the first of these answers counts to as well, the wider first."""
    return graded.tasks[int(np.flatnonzero(rows)[0])][:level]
