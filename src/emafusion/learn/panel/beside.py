"""What the other answers to a query tell of one, learned from labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.judge.beside import Beside
from emafusion.judge.heads import ANY, Heads
from emafusion.learn.panel.heads import FEWEST, LONGEST_TASK, Graded
from emafusion.learn.panel.logistic import Prior, log_evidence, non_negative
from emafusion.learn.panel.looks import Bools

ALONE: Floats = np.array((0.0, 1.0, 0.0))
"""Shift, slope and rival where the others tell nothing."""
_BIAS_RIDGES = (5.0, 50.0, 500.0)
_RIDGES = (1.0, 10.0, 100.0, 1000.0)
_WEAK = 0.1


def with_beside(heads: Heads, graded: Graded, query: Ints) -> Heads:
    """Judges that also know what they make of the other answers to a query.

    `graded`: every graded answer, `right` NaN where no label is; `query`: int64[N], which it is
    for. For each task with labels it lies between what all tasks have in common and nothing at all,
    as near to either as the task's own labels bear out.
    """
    own = _alone(heads, graded)
    rival, count = strongest_other(own, query)
    known = np.isfinite(graded.right) & np.isfinite(rival)
    if known.sum() < FEWEST or np.ptp(graded.right[known]) == 0.0:
        return heads
    rows = _Rows(
        design=np.stack([own, -rival], axis=1)[known],
        right=graded.right[known],
        count=count[known],
        tasks=[graded.tasks[i] for i in np.flatnonzero(known).tolist()],
    )
    return replace(heads, beside=MappingProxyType(_besides(rows)))


def strongest_other(own: Floats, query: Ints) -> tuple[Floats, Ints]:
    """Highest of the others of a query, NaN where there is none; and how many answers it has.

    >>> strongest_other(np.array([1.0, 3.0, 2.0, 0.0]), np.array([0, 0, 0, 1]))[0].tolist()
    [3.0, 2.0, 3.0, nan]
    """
    order = np.lexsort((-own, query))
    _, first, place, counts = np.unique(
        query[order], return_index=True, return_inverse=True, return_counts=True
    )
    best, second = own[order[first]], np.full(len(first), np.nan)
    several = counts > 1
    second[several] = own[order[first[several] + 1]]
    other, count = np.empty_like(own), np.empty(len(own), np.int64)
    other[order] = np.where(counts > 1, best, np.nan)[place]
    other[order[first]] = second
    count[order] = counts[place]
    return other, count


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rows:
    """Labelled answers beside others: float64[N, 2] own and minus the best of the others."""

    design: Floats
    right: Floats
    count: Ints
    tasks: Sequence[tuple[str, ...]]


def _besides(rows: _Rows) -> dict[str, Beside]:
    every = np.ones(len(rows.right), np.bool_)
    found = {ANY: _fit(rows, every, centres=(ALONE,))}
    for name in sorted({name for tasks in rows.tasks for name in tasks}):
        own = np.array([name in tasks for tasks in rows.tasks])
        if own.sum() >= FEWEST:
            elsewhere = (_common(rows, ~own),) if (~own).sum() >= FEWEST else ()
            found[name] = _fit(rows, own, centres=(ALONE, *elsewhere))
    return found


def _common(rows: _Rows, some: Bools) -> Floats:
    """One fit to several tasks, none of which counts for more than some labels."""
    prior = Prior(weights=ALONE[1:], ridge=np.full(2, _WEAK))
    weight = _weights(rows, some)
    return non_negative(rows.design[some], rows.right[some], prior=prior, weight=weight)


def _weights(rows: _Rows, some: Bools) -> Floats:
    last = [rows.tasks[i][-1] if rows.tasks[i] else ANY for i in np.flatnonzero(some).tolist()]
    count = Counter(last)
    return np.array([min(1.0, LONGEST_TASK / count[name]) for name in last])


def _fit(rows: _Rows, own: Bools, *, centres: tuple[Floats, ...]) -> Beside:
    """Fits drawn to each centre, more and less, weighed by how well it foretold these labels."""
    design, right = rows.design[own], rows.right[own]
    fits: list[Floats] = []
    worth: list[float] = []
    for centre, bias_ridge, ridge in product(centres, _BIAS_RIDGES, _RIDGES):
        prior = Prior(
            weights=centre[1:],
            ridge=np.full(2, ridge),
            bias=float(centre[0]),
            bias_ridge=bias_ridge,
        )
        fits.append(non_negative(design, right, prior=prior))
        worth.append(log_evidence(fits[-1], design, right, prior=prior))
    weight = np.exp(np.array(worth) - max(worth))
    theta = (weight / weight.sum()) @ np.stack(fits)
    shift, slope, rival = theta.round(5).tolist()
    count = rows.count[own]
    return Beside(
        shift=shift, slope=slope, rival=rival, least=int(count.min()), most=int(count.max())
    )


def _alone(heads: Heads, graded: Graded) -> Floats:
    """Log-odds of each answer by itself."""
    odds: list[float] = []
    rows = zip(graded.value.tolist(), graded.log_length.tolist(), graded.tasks, strict=True)
    for row, length, tasks in rows:
        said = {n: v for n, v in zip(graded.judges, row, strict=True) if np.isfinite(v)}
        said = {n: said[n] for n in heads.names if n in said}
        task = heads.task_of(*reversed(tasks))
        odds.append(heads.evidence(said, task, log_length=length if np.isfinite(length) else None))
    return np.asarray(graded.base + np.array(odds), dtype=np.float64)
