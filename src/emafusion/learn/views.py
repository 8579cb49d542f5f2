"""Fitting both views on some rows, and what they predict on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats, Ints
from emafusion.estimate.arrays import COUNTS, DEPTHS, DOMAINS, FORMATS, TASKS, small_vector
from emafusion.estimate.familiarity import closeness, sketch, support_of
from emafusion.estimate.linear import Heads
from emafusion.estimate.table import Table, cell_weights, fit_table
from emafusion.learn.anchors import fit_anchors
from emafusion.learn.blending import HeldOut
from emafusion.learn.gram import Float32s, Rows, gram, make_rows, solve, weights_of

ALPHA = 12.0
"""Ridge penalty, for rows of norm about 1."""

LABEL_WEIGHT, COUNT_WEIGHT = 1.7, 0.5
RANK = 8
"""Directions in which models may differ, at most."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Prepared:
    """Queries made ready for fitting.

    `rows`: for the heads; `products`: their inner products, float32[n, n]; `cells`:
    float32[n, CELLS]; `sketches`: float64[n, 64].
    """

    rows: Rows
    products: Float32s
    cells: Float32s
    sketches: Floats


class Targets(NamedTuple):
    """What is learned: `residual` float64[n, m], `difficulty`, `length` float64[n]; NaN unknown."""

    residual: Floats
    difficulty: Floats
    length: Floats


class Predicted(NamedTuple):
    """What was predicted of held-out rows: views float64[n, m]; levels float64[n].

    `closeness`: float64[n, 2], similarity and support.
    """

    views: HeldOut
    difficulty: Floats
    length: Floats
    closeness: Floats


def dense_scale() -> Floats:
    """Weight of each entry of the small vector beside the words: float64[SMALL]."""
    labels = TASKS + DEPTHS + DOMAINS + FORMATS
    return np.concatenate((np.full(labels, LABEL_WEIGHT), np.full(COUNTS, COUNT_WEIGHT), [0.0]))


def prepare(features: tuple[Features, ...]) -> Prepared:
    """Make queries ready."""
    small = np.array([small_vector(f.labels, f.counts) for f in features])
    rows = make_rows(features, small * dense_scale())
    return Prepared(
        rows=rows,
        products=gram(rows),
        cells=np.array([cell_weights(f.labels) for f in features], np.float32),
        sketches=np.array([sketch(rows.scale, f) for f in features]),
    )


def predict_held_out(prepared: Prepared, targets: Targets, folds: Ints) -> Predicted:
    """Predict every fold from the others; rows of fold -1 are never predicted (NaN)."""
    n, m = targets.residual.shape
    found = Predicted(
        HeldOut(np.full((n, m), np.nan), np.full((n, m), np.nan)),
        np.full(n, np.nan),
        np.full(n, np.nan),
        np.full((n, 2), np.nan),
    )
    for fold in np.unique(folds[folds >= 0]):
        here, rest = folds == fold, folds != fold
        _predict(prepared, targets, parts=(rest, here), into=found)
    return found


def fit_heads(prepared: Prepared, targets: Targets) -> Heads:
    """Fit the heads on all rows, advantages cut to a few directions."""
    stacked, centre = _stack(targets)
    dual = solve(prepared.products, stacked - centre, ALPHA)
    loadings = _directions(prepared.products @ dual[:, 2:])
    weights = weights_of(prepared.rows, np.hstack((dual[:, :2], dual[:, 2:] @ loadings)))
    small = weights.dense * dense_scale()[:, None]
    small[-1, :2] += centre[:2]
    return Heads(
        words=weights.words.astype(np.float32), small=small, loadings=loadings.astype(np.float64)
    )


def fit_taxonomy(prepared: Prepared, targets: Targets) -> Table:
    """Fit the table on all rows."""
    return fit_table(prepared.cells, targets.residual)


def _predict(
    prepared: Prepared, targets: Targets, *, parts: tuple[Mask, Mask], into: Predicted
) -> None:
    """Fit on one part of the rows, fill in predictions of the other."""
    rest, here = parts
    own = Targets(targets.residual[rest], targets.difficulty[rest], targets.length[rest])
    table = fit_table(prepared.cells[rest], own.residual)
    into.views.taxonomy[here] = prepared.cells[here] @ table.leaves.T
    stacked, centre = _stack(own)
    inner = prepared.products[np.ix_(rest, rest)]
    dual = solve(inner, stacked - centre, ALPHA)
    loadings = _directions(inner @ dual[:, 2:])
    outer = prepared.products[np.ix_(here, rest)]
    level = outer @ dual[:, :2] + centre[:2]
    into.difficulty[here], into.length[here] = level[:, 0], level[:, 1]
    into.views.learned[here] = outer @ (dual[:, 2:] @ loadings) @ loadings.T
    anchors = fit_anchors(prepared.sketches[rest])
    support = support_of(prepared.cells[rest])
    into.closeness[here] = closeness(
        (anchors, support), prepared.sketches[here], prepared.cells[here]
    )


def _stack(targets: Targets) -> tuple[Floats, Floats]:
    """All targets side by side, and what is taken off before solving: nothing of residuals."""
    columns = (targets.difficulty[:, None], targets.length[:, None], targets.residual)
    stacked = np.hstack(columns)
    centre = np.zeros(stacked.shape[1])
    for i, column in enumerate((targets.difficulty, targets.length)):
        known = column[~np.isnan(column)]
        centre[i] = known.mean() if len(known) else (0.0, 5.0)[i]
    return stacked, centre


def _directions(fitted: Float32s) -> Float32s:
    """Main directions of fitted advantages float32[n, m]: orthonormal float32[m, r]."""
    m = fitted.shape[1]
    spread = fitted.T @ fitted
    _, vectors = np.linalg.eigh(spread.astype(np.float64))
    return vectors[:, ::-1][:, : min(RANK, m)].astype(np.float32)
