"""Inner products of queries, and linear weights from them: ridge regression in its dual form.

A query is its hashed words, scaled by how rare they are, beside a dense vector of labels and
counts. With K the matrix of inner products, `(K + alpha I) a = y` gives the dual solution and
`X' a` the weights that serving uses. Rows without an answer are masked per target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats, Ints
from emafusion.estimate.arrays import BUCKETS

Float32s = npt.NDArray[np.float32]
BLOCK = 2048
"""Rows made dense at a time."""

ROUNDS, CLOSE_ENOUGH = 40, 3e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Queries as rows of a wide matrix.

    `words`: for each its buckets and scaled weights; `scale`: float64[BUCKETS], by which weights
    were scaled; `dense`: float64[n, d].
    """

    words: tuple[tuple[Ints, Float32s], ...]
    scale: Floats
    dense: Floats


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """Linear weights for k targets.

    `words`: float32[BUCKETS, k], for unscaled features; `dense`: float64[d, k].
    """

    words: Float32s
    dense: Floats


def make_rows(features: Sequence[Features], dense: Floats) -> Rows:
    """Scale the words of queries by log(n / frequency), mean row norm 1."""
    seen = np.zeros(BUCKETS)
    for feature in features:
        seen[feature.indices] += 1
    scale = np.log(max(len(features), 2) / np.maximum(seen, 1.0)) + 0.1
    norms = [float(np.linalg.norm(f.weights * scale[f.indices])) for f in features]
    scale /= max(float(np.mean(norms)), 1e-9) if norms else 1.0
    words = tuple((f.indices, (f.weights * scale[f.indices]).astype(np.float32)) for f in features)
    return Rows(words=words, scale=scale, dense=dense)


def gram(rows: Rows) -> Float32s:
    """Inner products of all rows: float32[n, n]."""
    n = len(rows.words)
    dense = rows.dense.astype(np.float32)
    products = dense @ dense.T
    starts = range(0, n, BLOCK)
    for one in starts:
        left = _densify(rows.words[one : one + BLOCK])
        for two in starts:
            if two < one:
                continue
            right = left if two == one else _densify(rows.words[two : two + BLOCK])
            block = left @ right.T
            products[one : one + BLOCK, two : two + BLOCK] += block
            if two != one:
                products[two : two + BLOCK, one : one + BLOCK] += block.T
    return products


def solve(products: Float32s, targets: Floats, alpha: float) -> Float32s:
    """Dual solution by conjugate gradients, all targets at once.

    `products`: float32[n, n]; `targets`: float64[n, k], NaN where a row has no value for a target
    (it then plays no part in it). Returns float32[n, k], 0 at those rows.
    """
    mask = (~np.isnan(targets)).astype(np.float32)
    residual = np.nan_to_num(targets).astype(np.float32)
    dual = np.zeros_like(residual)
    towards = residual.copy()
    size = (residual**2).sum(axis=0)
    enough = CLOSE_ENOUGH**2 * np.maximum(size, 1e-12)
    for _ in range(ROUNDS):
        if np.all(size <= enough):
            break
        pushed = mask * (products @ towards) + np.float32(alpha) * towards
        step = size / np.maximum((towards * pushed).sum(axis=0), 1e-20)
        dual += step * towards
        residual -= step * pushed
        shrunk = (residual**2).sum(axis=0)
        towards = residual + (shrunk / np.maximum(size, 1e-20)) * towards
        size = shrunk
    return dual


def weights_of(rows: Rows, dual: Float32s) -> Weights:
    """Linear weights from a dual solution float32[n, k]."""
    words = np.zeros((BUCKETS, dual.shape[1]), np.float32)
    for (indices, values), row in zip(rows.words, dual, strict=True):
        words[indices] += values[:, None] * row
    return Weights(
        words=(words * rows.scale[:, None]).astype(np.float32),
        dense=rows.dense.T @ dual.astype(np.float64),
    )


def _densify(words: Sequence[tuple[Ints, Float32s]]) -> Float32s:
    """Rows with every bucket written out: float32[len(words), BUCKETS]."""
    block = np.zeros((len(words), BUCKETS), np.float32)
    for row, (indices, values) in zip(block, words, strict=True):
        row[indices] = values
    return block
