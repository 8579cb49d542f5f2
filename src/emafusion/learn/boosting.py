"""Gradient boosting of small trees with several outputs, on histograms of binned inputs.

Squared error, so that each tree is fitted on what the trees before it left; rows and inputs are
drawn anew for every tree. All nodes of one depth are split together.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Floats, Ints
from emafusion.estimate.trees import Trees, evaluate
from emafusion.learn.classing import main_directions

COUNT, DEPTH, RATE = 60, 3, 0.08
BINS = 24
DIRECTIONS = 4
"""Outputs: the main directions in which models differ."""

ROWS, INPUTS = 0.5, 0.4
"""Shares that are drawn for each tree."""

PENALTY = 40.0
"""Rows that a leaf's value is drawn to 0 by."""

Bins = npt.NDArray[np.uint8]


class _Split(NamedTuple):
    """The best question of each of k nodes: input, bin that still goes left, whether any gains."""

    feature: Ints
    last: Ints
    asks: npt.NDArray[np.bool_]


def fit_trees(inputs: Floats, residual: Floats, *, seed: int = 0) -> Trees:
    """Fit trees to what models differ in.

    `inputs`: float64[n, d]; `residual`: float64[n, m], NaN where the model did not answer (it then
    counts as no difference).
    """
    held = np.nan_to_num(residual)
    loadings = main_directions(held.astype(np.float32), DIRECTIONS).astype(np.float64)
    left = held @ loadings
    edges = _edges(inputs)
    binned = _binned(inputs, edges)
    rng = np.random.default_rng(seed)
    found = [_grow(binned, left, rng) for _ in range(COUNT)]
    return Trees(
        feature=np.array([feature for feature, _, _ in found]),
        threshold=np.array([_thresholds(edges, f, last) for f, last, _ in found]),
        leaves=np.array([leaves for _, _, leaves in found]),
        loadings=loadings,
        turn=np.eye(0),
    )


def turn_of(linear: Floats) -> Floats:
    """Main directions of advantages float64[n, m] that a linear way predicted: float64[m, k]."""
    return main_directions(linear.astype(np.float32), DIRECTIONS).astype(np.float64)


def boosted_held_out(learned_on: Floats, asked: Floats, *, residual: Floats, folds: Ints) -> Floats:
    """Advantages of rows by trees that were fitted without them: float64[n, m].

    `learned_on`, `asked`: float64[n, d], inputs of rows as trees are fitted on them and as they
    are asked for.
    """
    said = np.zeros(residual.shape)
    for fold in np.unique(folds):
        here, rest = folds == fold, folds != fold
        if rest.any():
            trees = fit_trees(learned_on[rest], residual[rest])
            said[here] = evaluate(trees, asked[here]) @ trees.loadings.T
    return said


def _edges(inputs: Floats) -> Floats:
    """Borders of the bins of each input: float64[d, BINS - 1], ascending."""
    shares = np.arange(1, BINS) / BINS
    edges: Floats = np.quantile(inputs, shares, axis=0).T
    return edges


def _binned(inputs: Floats, edges: Floats) -> Bins:
    """Bin of each value: bin b is above its border b - 1 and not above border b."""
    columns = [np.searchsorted(own, inputs[:, i], side="left") for i, own in enumerate(edges)]
    return np.stack(columns, axis=1).astype(np.uint8)


def _grow(binned: Bins, left: Floats, rng: np.random.Generator) -> tuple[Ints, Ints, Floats]:
    """One tree: inputs and last bins of its nodes, leaves; takes its share off what is `left`."""
    n, d = binned.shape
    drawn = np.sort(rng.permutation(n)[: max(int(ROWS * n), 1)])
    inputs = np.sort(rng.permutation(d)[: max(int(INPUTS * d), 1)])
    feature = np.zeros(2**DEPTH - 1, np.int64)
    last = np.full(2**DEPTH - 1, BINS, np.int64)
    node, target = np.zeros(n, np.int64), left[drawn]
    part = binned[drawn][:, inputs].astype(np.int64)
    for depth in range(DEPTH):
        first, width = 2**depth - 1, 2**depth
        split = _best(part, node[drawn] - first, target, width=width)
        feature[first : first + width] = inputs[split.feature]
        last[first : first + width] = np.where(split.asks, split.last, BINS)
        above = binned[np.arange(n), feature[node]] > last[node]
        node = 2 * node + 1 + above
    place = node - (2**DEPTH - 1)
    leaves = RATE * _leaf_means(place[drawn], target)
    left -= leaves[place]
    return feature, last, leaves


def _best(part: Ints, node: Ints, target: Floats, *, width: int) -> _Split:
    """The question of each node that leaves the least squared error."""
    counts, sums = _histograms(part, node, target, width=width)
    below, total = counts.cumsum(axis=2), counts.sum(axis=2, keepdims=True)
    sum_below, sum_all = sums.cumsum(axis=2), sums.sum(axis=2, keepdims=True)
    gain = (
        (sum_below**2).sum(axis=3) / (below + PENALTY)
        + ((sum_all - sum_below) ** 2).sum(axis=3) / (total - below + PENALTY)
        - (sum_all**2).sum(axis=3) / (total + PENALTY)
    )
    flat = gain.reshape(width, -1)
    best = flat.argmax(axis=1)
    feature, last = np.divmod(best, BINS)
    return _Split(feature, last, flat[np.arange(width), best] > 0.0)


def _histograms(part: Ints, node: Ints, target: Floats, *, width: int) -> tuple[Floats, Floats]:
    """Rows and sums of targets: float64[width, d, BINS] and [width, d, BINS, r]."""
    d, r = part.shape[1], target.shape[1]
    column = np.arange(d, dtype=np.int64)
    cell: Ints = np.add(np.multiply(node[:, None] * d + column, BINS), part).reshape(-1)
    size, shape = width * d * BINS, (width, d, BINS)
    counts = np.bincount(cell, minlength=size).astype(np.float64).reshape(shape)
    sums = [np.bincount(cell, np.repeat(target[:, j], d), minlength=size) for j in range(r)]
    stacked: Floats = np.stack(sums, axis=1).reshape(*shape, r).astype(np.float64)
    return counts, stacked


def _leaf_means(place: Ints, target: Floats) -> Floats:
    """Mean target of each leaf, drawn to 0: float64[2^DEPTH, r]."""
    size = 2**DEPTH
    counts = np.bincount(place, minlength=size)[:, None]
    columns = [np.bincount(place, target[:, j], minlength=size) for j in range(target.shape[1])]
    means: Floats = np.stack(columns, axis=1) / (counts + PENALTY)
    return means


def _thresholds(edges: Floats, feature: Ints, last: Ints) -> Floats:
    """Values above which a query goes right; infinite where nothing is asked."""
    asked = last < BINS - 1
    values = edges[feature, np.minimum(last, BINS - 2)]
    return np.where(asked, values, np.inf)
