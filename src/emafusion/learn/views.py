"""Fitting the views on some rows, and what they predict on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats, Ints
from emafusion.estimate.arrays import COUNTS, DEPTHS, DOMAINS, FORMATS, SMALL, TASKS, small_vectors
from emafusion.estimate.linear import Heads
from emafusion.estimate.table import cell_weights, fit_table
from emafusion.learn.classing import Classed, main_directions, one_hot
from emafusion.learn.gram import Float32s, Rows, gram, make_rows, solve, weights_of

ALPHAS = (12.0, 0.5, 12.0, 6.0)
"""Ridge penalties, for rows of norm about 1: difficulty and length, classes, advantages, habits of
length."""

LABEL_WEIGHT, COUNT_WEIGHT = 1.7, 0.5
RANK, LENGTH_RANK = 8, 3
"""Directions in which models may differ in quality and in length, at most."""

LEVELS = 2
"""Targets before the classes: difficulty and length."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Queries made ready for fitting.

    `rows`: for the heads; `products`: their inner products, float32[n, n]; `cells`:
    float32[n, CELLS]; `scale`: float64[SMALL], of the dense entries.
    """

    rows: Rows
    products: Float32s
    cells: Float32s
    scale: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """What is learned; NaN unknown.

    `residual`: float64[n, m], of scores; `habits`: float64[n, m], of log lengths; `difficulty`,
    `length`: float64[n]; `classed`: classes of the rows.
    """

    residual: Floats
    habits: Floats
    difficulty: Floats
    length: Floats
    classed: Classed


class Predicted(NamedTuple):
    """What was predicted of held-out rows, NaN where a row never was.

    `axes`, `learned`: float64[n, m], advantages; `habits`: float64[n, m], of log lengths;
    `difficulty`, `length`: float64[n]; `scores`:
    float64[n, K], of the classes, their shares among the rows fitted on taken off.
    """

    axes: Floats
    learned: Floats
    habits: Floats
    difficulty: Floats
    length: Floats
    scores: Floats

    @property
    def strength(self) -> Floats:
        """How strongly the class heads speak: float64[n]."""
        return np.asarray(np.sqrt((self.scores * self.scores).sum(axis=1)))


def make_rows_of(features: tuple[Features, ...], *, labels: bool) -> tuple[Rows, Floats]:
    """Rows for the heads, and the scale of their dense entries; with or without labels."""
    axes = TASKS + DEPTHS + DOMAINS + FORMATS
    scale = np.zeros(SMALL)
    scale[:axes] = LABEL_WEIGHT if labels else 0.0
    scale[axes : axes + COUNTS] = COUNT_WEIGHT
    return make_rows(features, small_vectors(features) * scale), scale


def prepare(features: tuple[Features, ...], rows: Rows, scale: Floats) -> Prepared:
    """Make queries ready."""
    return Prepared(rows=rows, products=gram(rows), cells=cell_weights(features), scale=scale)


def predict_held_out(prepared: Prepared, targets: Targets, folds: Ints) -> Predicted:
    """Predict every fold from the others."""
    n, m = targets.residual.shape
    shapes = ((n, m), (n, m), (n, m), (n,), (n,), (n, len(targets.classed.names)))
    found = Predicted._make(np.full(shape, np.nan) for shape in shapes)
    for fold in np.unique(folds):
        here, rest = folds == fold, folds != fold
        if rest.any():
            _predict(prepared, targets, parts=(rest, here), into=found)
    return found


class Fit(NamedTuple):
    """Heads of all rows; `habits`: float64[m, r], loadings of lengths; `basis`: float64[c, K]."""

    heads: Heads
    habits: Floats
    basis: Floats


def fit_heads(prepared: Prepared, targets: Targets, *, class_rank: int) -> Fit:
    """Fit the heads on all rows; what models differ in and the classes, cut to a few directions."""
    stacked, alpha, centre = _stack(targets, np.ones(len(targets.length), bool))
    dual = solve(prepared.products, stacked - centre, alpha)
    level, classes, advantage, habits = _parts(dual, targets)
    products = prepared.products
    loadings = main_directions(products @ advantage, RANK)
    lengths = main_directions(products @ habits, LENGTH_RANK)
    # Classes weigh the same whatever their size, else the small ones are the first to be cut.
    size = np.sqrt(one_hot(targets.classed).mean(axis=0)).astype(np.float32)
    scaled = classes / size
    basis = main_directions(products @ scaled, class_rank)
    columns = (level, advantage @ loadings, habits @ lengths, scaled @ basis)
    weights = weights_of(prepared.rows, np.hstack(columns))
    small = weights.dense * prepared.scale[:, None]
    small[-1, :LEVELS] += centre[:LEVELS]
    heads = Heads(
        words=weights.words.astype(np.float32), small=small, loadings=loadings.astype(np.float64)
    )
    return Fit(heads, lengths.astype(np.float64), (basis.T * size).astype(np.float64))


def _predict(
    prepared: Prepared, targets: Targets, *, parts: tuple[Mask, Mask], into: Predicted
) -> None:
    """Fit on one part of the rows, fill in predictions of the other."""
    rest, here = parts
    table = fit_table(prepared.cells[rest], targets.residual[rest])
    into.axes[here] = prepared.cells[here] @ table.leaves.T
    stacked, alpha, centre = _stack(targets, rest)
    dual = solve(prepared.products[np.ix_(rest, rest)], stacked - centre, alpha)
    said = prepared.products[np.ix_(here, rest)] @ dual
    level, into.scores[here], into.learned[here], into.habits[here] = _parts(said, targets)
    into.difficulty[here] = level[:, 0] + centre[0]
    into.length[here] = level[:, 1] + centre[1]


def _parts(columns: Float32s, targets: Targets) -> list[Float32s]:
    """Columns of levels, classes, advantages and habits, out of those side by side."""
    k, m = len(targets.classed.names), targets.residual.shape[1]
    return np.split(columns, np.cumsum((LEVELS, k, m)), axis=1)


def _stack(targets: Targets, rest: Mask) -> tuple[Floats, Floats, Floats]:
    """Targets of some rows side by side, their penalties, and what is taken off before solving.

    Nothing is taken off residuals: their mean is no one's advantage.
    """
    levels = np.stack((targets.difficulty[rest], targets.length[rest]), axis=1)
    classes = one_hot(targets.classed)[rest]
    residual, habits = targets.residual[rest], targets.habits[rest]
    sizes = (LEVELS, classes.shape[1], residual.shape[1], habits.shape[1])
    centre = np.zeros(sum(sizes))
    for i in range(LEVELS):
        known = levels[:, i][~np.isnan(levels[:, i])]
        centre[i] = known.mean() if len(known) else (0.0, 5.0)[i]
    centre[LEVELS : LEVELS + classes.shape[1]] = classes.mean(axis=0)
    return np.hstack((levels, classes, residual, habits)), np.repeat(ALPHAS, sizes), centre
