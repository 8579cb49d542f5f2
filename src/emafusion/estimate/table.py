"""The taxonomy view: what each model did in each class of queries, shrunk toward broader classes.

Cells form a tree: all -> task -> task x depth -> task x depth x domain. A cell's value is the mean
residual (score minus what ability and difficulty predict) of the model in that cell, shrunk:
`mean_cell = (sum w r + kappa mean_parent) / (sum w + kappa)`, the root's parent being 0. Outcomes
count in every cell by the probability of its labels, so labels are soft in learning and in use.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Features, Floats
from emafusion.estimate.arrays import DEPTHS, DOMAINS, TASKS, AnyArray, Arrays, Float32s, floats

CELLS = TASKS * DEPTHS * DOMAINS
KAPPA = 20.0
"""Outcomes that a parent cell is worth, where nothing better was fitted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Table:
    """Shrunk means of every leaf cell, and how many outcomes stand behind each task.

    `leaves`: float32[n_models, CELLS], residual quality; `outcomes`: float64[n_models, TASKS], each
    counted once, with its likeliest task.
    """

    leaves: Float32s
    outcomes: Floats

    @classmethod
    def from_arrays(cls, arrays: Arrays, n_models: int) -> Table:
        """Read `router/table/...` of an artifact."""
        leaves = floats(arrays, "router/table/leaves", (n_models, CELLS))
        outcomes = floats(arrays, "router/table/outcomes", (n_models, TASKS))
        return cls(leaves=leaves.astype(np.float32), outcomes=outcomes)

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads; leaves in half precision."""
        return {
            "router/table/leaves": self.leaves.astype(np.float16),
            "router/table/outcomes": self.outcomes.astype(np.float32),
        }


def cell_weights(features: Sequence[Features]) -> Float32s:
    """Probability of each leaf cell: float32[n, CELLS], rows summing to 1."""
    task, depth, domain = (
        np.array([getattr(f.labels, axis) for f in features], np.float32)
        for axis in ("task", "depth", "domain")
    )
    cells = task[:, :, None, None] * depth[:, None, :, None] * domain[:, None, None, :]
    return cells.reshape(len(features), -1).astype(np.float32)


def fit_table(cells: Float32s, residuals: Floats, kappa: float = KAPPA) -> Table:
    """Learn the table.

    Args:
        cells: float[n, CELLS], `cell_weights` of each query.
        residuals: float[n, n_models], NaN where the model did not answer.
        kappa: outcomes that a parent cell is worth.
    """
    answered = ~np.isnan(residuals)
    weights = answered.astype(np.float32).T @ cells
    sums = np.where(answered, residuals, 0.0).astype(np.float32).T @ cells
    shape = (residuals.shape[1], TASKS, DEPTHS, DOMAINS)
    leaves = shrink(
        sums.reshape(shape).astype(np.float64), weights.reshape(shape).astype(np.float64), kappa
    )
    return Table(
        leaves=leaves.reshape(-1, CELLS).astype(np.float32),
        outcomes=answered.astype(np.float64).T @ _likeliest(cells),
    )


def _likeliest(cells: Float32s) -> Floats:
    """The likeliest task of each query: float64[n, TASKS], one 1 a row.

    Shares of all the others, summed over thousands of queries, would look like outcomes.
    """
    tasks = cells.reshape(len(cells), TASKS, -1).sum(axis=2)
    hot: Floats = np.eye(TASKS)[tasks.argmax(axis=1)]
    return hot


def shrink(sums: Floats, weights: Floats, kappa: float) -> Floats:
    """Shrink cell means along the last axes: root, then each axis in turn.

    `sums`, `weights`: float64[n, tasks, depths, domains]. Returns means of that shape. Each lies
    between its own raw mean and its parent's.

    >>> sums, weights = np.zeros((1, 2, 1, 1)), np.zeros((1, 2, 1, 1))
    >>> sums[0, 0], weights[0, 0] = 20.0, 20.0
    >>> shrink(sums, weights, 20.0).ravel().tolist()
    [0.9375, 0.5]
    """
    parent = np.zeros((*sums.shape[:1], 1, 1, 1))
    for folded in ((1, 2, 3), (2, 3), (3,), ()):
        total = sums.sum(axis=folded, keepdims=True) if folded else sums
        weight = weights.sum(axis=folded, keepdims=True) if folded else weights
        parent = (total + kappa * parent) / (weight + kappa)
    return parent
