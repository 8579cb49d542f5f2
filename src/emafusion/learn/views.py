"""Fitting the views on some rows, and what they predict on others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats, Ints
from emafusion.estimate.arrays import COUNTS, DEPTHS, DOMAINS, FORMATS, SMALL, TASKS, small_vectors
from emafusion.estimate.hybrid import sigmoid
from emafusion.estimate.linear import Heads
from emafusion.estimate.table import cell_weights, fit_table
from emafusion.learn.classing import Classed, main_directions, one_hot
from emafusion.learn.gram import Float32s, Rows, gram, make_rows, solve, weights_of
from emafusion.learn.ways import Way, WayName, way_of

ALPHAS = (12.0, 0.5, 6.0)
"""Ridge penalties, for rows of norm about 1: difficulty and length, classes, habits of length."""

ADVANTAGE_ALPHA = 40.0

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
    float32[n, CELLS]; `small`: float64[n, SMALL], labels and counts; `scale`: float64[SMALL], of
    the dense entries.
    """

    rows: Rows
    products: Float32s
    cells: Float32s
    small: Floats
    scale: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Targets:
    """What is learned; NaN unknown.

    `residual`: float64[n, m], of scores; `ability`: float64[m]; `habits`: float64[n, m], of log
    lengths; `difficulty`, `length`: float64[n]; `classed`: classes of the rows.
    """

    residual: Floats
    ability: Floats
    habits: Floats
    difficulty: Floats
    length: Floats
    classed: Classed

    def way(self, name: WayName, rest: Mask) -> Way:
        """Columns and loadings of a way to learn, from some of the rows."""
        base = sigmoid(self.ability - self.difficulty[rest, None])
        return way_of(name, self.residual[rest], base=base)


class Predicted(NamedTuple):
    """What was predicted of held-out rows, NaN where a row never was.

    `axes`: float64[n, m], advantages; `learned`: the same by each way to learn; `habits`:
    float64[n, m], of log lengths; `difficulty`, `length`: float64[n]; `scores`: float64[n, K], of
    the classes, their shares among the rows fitted on taken off.
    """

    axes: Floats
    learned: tuple[Floats, ...]
    habits: Floats
    difficulty: Floats
    length: Floats
    scores: Floats

    @property
    def strength(self) -> Floats:
        """How strongly the class heads speak: float64[n]."""
        return np.asarray(np.sqrt((self.scores * self.scores).sum(axis=1)))


def make_rows_of(
    features: tuple[Features, ...], vectors: Float32s | None, *, labels: bool
) -> tuple[Rows, Floats]:
    """Rows for the heads, and the scale of their dense entries; with or without labels.

    `vectors`: of the words that the encoder knows, None where it knows none.
    """
    axes = TASKS + DEPTHS + DOMAINS + FORMATS
    scale = np.zeros(SMALL)
    scale[:axes] = LABEL_WEIGHT if labels else 0.0
    scale[axes : axes + COUNTS] = COUNT_WEIGHT
    return make_rows(features, small_vectors(features) * scale, vectors), scale


def prepare(features: tuple[Features, ...], rows: Rows, scale: Floats) -> Prepared:
    """Make queries ready."""
    return Prepared(
        rows=rows,
        products=gram(rows),
        cells=cell_weights(features),
        small=small_vectors(features),
        scale=scale,
    )


def predict_held_out(
    prepared: Prepared, targets: Targets, folds: Ints, *, ways: tuple[WayName, ...]
) -> Predicted:
    """Predict every fold from the others, by each way to learn."""
    n, m = targets.residual.shape

    def unknown(*shape: int) -> Floats:
        return np.full(shape, np.nan)

    found = Predicted(
        axes=unknown(n, m), learned=tuple(unknown(n, m) for _ in ways), habits=unknown(n, m),
        difficulty=unknown(n), length=unknown(n), scores=unknown(n, len(targets.classed.names)),
    )  # fmt: skip
    for fold in np.unique(folds):
        here, rest = folds == fold, folds != fold
        if rest.any():
            _predict(prepared, targets, parts=(rest, here), into=found, ways=ways)
    return found


class Fit(NamedTuple):
    """Heads of all rows; `habits`: float64[m, r], loadings of lengths; `basis`: float64[c, K]."""

    heads: Heads
    habits: Floats
    basis: Floats


def fit_heads(prepared: Prepared, targets: Targets, *, class_rank: int, way: WayName) -> Fit:
    """Fit the heads on all rows; what models differ in and the classes, cut to a few directions."""
    every = np.ones(len(targets.length), bool)
    found = targets.way(way, every)
    stack = _stack(targets, every, (found,))
    products = prepared.products
    dual = solve(products, stack.columns - stack.centre, stack.alpha)
    level, classes, habits, advantage = stack.parts(dual)
    loadings = np.asarray(found.loadings, np.float64)
    if way == "linear":
        turn = main_directions(products @ advantage, RANK)
        advantage, loadings = advantage @ turn, turn.astype(np.float64)
    lengths = main_directions(products @ habits, LENGTH_RANK)
    # Classes weigh the same whatever their size, else the small ones are the first to be cut.
    size = np.sqrt(one_hot(targets.classed).mean(axis=0)).astype(np.float32)
    scaled = classes / size
    basis = main_directions(products @ scaled, class_rank)
    columns = (level, advantage, habits @ lengths, scaled @ basis)
    weights = weights_of(prepared.rows, np.hstack(columns))
    small = weights.dense * prepared.scale[:, None]
    small[-1, :LEVELS] += stack.centre[:LEVELS]
    words = weights.words.astype(np.float32)
    heads = Heads(
        words=words, small=small, loadings=loadings, logit=way == "irt",
        meaning=weights.meaning, centre=prepared.rows.centre,
    )  # fmt: skip
    return Fit(heads, lengths.astype(np.float64), (basis.T * size).astype(np.float64))


def _predict(
    prepared: Prepared,
    targets: Targets,
    *,
    parts: tuple[Mask, Mask],
    into: Predicted,
    ways: tuple[WayName, ...],
) -> None:
    """Fit on one part of the rows, fill in predictions of the other."""
    rest, here = parts
    table = fit_table(prepared.cells[rest], targets.residual[rest])
    into.axes[here] = prepared.cells[here] @ table.leaves.T
    found = tuple(targets.way(name, rest) for name in ways)
    stack = _stack(targets, rest, found)
    dual = solve(prepared.products[np.ix_(rest, rest)], stack.columns - stack.centre, stack.alpha)
    said = prepared.products[np.ix_(here, rest)] @ dual
    level, into.scores[here], into.habits[here], *advantages = stack.parts(said)
    into.difficulty[here] = level[:, 0] + stack.centre[0]
    into.length[here] = level[:, 1] + stack.centre[1]
    logits = targets.ability - into.difficulty[here, None]
    for name, way, columns, learned in zip(ways, found, advantages, into.learned, strict=True):
        moved = columns @ way.loadings.T
        learned[here] = sigmoid(logits + moved) - sigmoid(logits) if name == "irt" else moved


class _Stack(NamedTuple):
    """Targets side by side: levels, classes, habits, then the columns of each way to learn.

    `columns`: float64[n, k]; `alpha`: float64[k], penalties; `centre`: float64[k], what is taken
    off before solving; `sizes`: of the parts.
    """

    columns: Floats
    alpha: Floats
    centre: Floats
    sizes: tuple[int, ...]

    def parts(self, columns: Float32s) -> list[Float32s]:
        """The parts of columns that lie side by side as these do."""
        return np.split(columns, np.cumsum(self.sizes)[:-1], axis=1)


def _stack(targets: Targets, rest: Mask, ways: tuple[Way, ...]) -> _Stack:
    """Targets of some rows. Nothing is taken off advantages: their mean is no one's."""
    levels = np.stack((targets.difficulty[rest], targets.length[rest]), axis=1)
    classes = one_hot(targets.classed)[rest]
    parts = (levels, classes, targets.habits[rest], *(way.columns for way in ways))
    sizes = tuple(part.shape[1] for part in parts)
    centre = np.zeros(sum(sizes))
    for i in range(LEVELS):
        known = levels[:, i][~np.isnan(levels[:, i])]
        centre[i] = known.mean() if len(known) else (0.0, 5.0)[i]
    centre[LEVELS : LEVELS + classes.shape[1]] = classes.mean(axis=0)
    alpha = np.repeat((*ALPHAS, *(ADVANTAGE_ALPHA for _ in ways)), sizes)
    return _Stack(np.hstack(parts), alpha, centre, sizes)
