"""Inner products of queries, and linear weights from them: ridge regression in its dual form.

A query is its hashed words, scaled by how rare they are, beside a dense vector of labels and
counts. With K the matrix of inner products, `(K + alpha I) a = y` gives the dual solution and
`X' a` the weights that serving uses. Rows without an answer are masked per target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats, Ints
from emafusion.estimate.arrays import BUCKETS

Float32s = npt.NDArray[np.float32]
OFTEN = 20
"""Words that more than a row in so many has are multiplied as a dense matrix."""

ROUNDS, CLOSE_ENOUGH = 40, 3e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rows:
    """Queries as rows of a wide matrix.

    `words`: for each its buckets and scaled weights; `scale`: float64[BUCKETS], by which weights
    were scaled; `dense`: float64[n, d]; `meaning`: float32[n, e], mean vector of its known words,
    or its embedding, of norm 1 on the mean; `vectors`: float32[L, e], of known words, such that
    `meaning` is their weighted sum; `centre`, `size`: what was taken off embeddings, and what they
    were divided by.
    """

    words: tuple[tuple[Ints, Float32s], ...]
    scale: Floats
    dense: Floats
    meaning: Float32s
    vectors: Float32s
    centre: Float32s
    size: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Weights:
    """Linear weights for k targets.

    `words`: float32[BUCKETS + L, k], for unscaled features; `dense`: float64[d, k]; `meaning`:
    float32[e, k], for embeddings less their centre, e is 0 where there are none.
    """

    words: Float32s
    dense: Floats
    meaning: Float32s


def make_rows(features: Sequence[Features], dense: Floats, vectors: Float32s | None = None) -> Rows:
    """Scale the words of queries by log(n / frequency), mean row norm 1.

    `vectors`: float32[L, e], of the words that the encoder knows; None where it knows none.
    """
    hashed, known = zip(*map(_parted, features), strict=True) if features else ((), ())
    seen = np.zeros(BUCKETS)
    for indices, _ in hashed:
        seen[indices] += 1
    scale = np.log(max(len(features), 2) / np.maximum(seen, 1.0)) + 0.1
    norms = [float(np.linalg.norm(weights * scale[indices])) for indices, weights in hashed]
    scale /= max(float(np.mean(norms)), 1e-9) if norms else 1.0
    words = tuple((i, (weights * scale[i]).astype(np.float32)) for i, weights in hashed)
    if vectors is None:
        meaning, centre, size = _embedded(features)
        turned = np.zeros((0, meaning.shape[1]), np.float32)
    else:
        (meaning, turned), centre, size = _meanings(known, vectors), vectors[:0, 0], 1.0
    return Rows(
        words=words, scale=scale, dense=dense, meaning=meaning, vectors=turned, centre=centre,
        size=size,
    )  # fmt: skip


def gram(rows: Rows) -> Float32s:
    """Inner products of all rows: float32[n, n].

    Words that many rows have are multiplied as a dense matrix; the others, row by row, only where
    another row has them too.
    """
    n = len(rows.words)
    dense = rows.dense.astype(np.float32)
    products: Float32s = dense @ dense.T
    products += rows.meaning @ rows.meaning.T
    if n == 0:
        return products
    sparse = _sparse(rows.words)
    often = np.bincount(sparse.bucket, minlength=BUCKETS) > max(n // OFTEN, 8)
    _add_often(products, sparse, often)
    _add_seldom(products, sparse.take(~often[sparse.bucket]))
    return products


def solve(products: Float32s, targets: Floats, alpha: float | Floats) -> Float32s:
    """Dual solution by conjugate gradients, all targets at once.

    `products`: float32[n, n]; `targets`: float64[n, k], NaN where a row has no value for a target
    (it then plays no part in it); `alpha`: penalty, of all targets or float64[k]. Returns
    float32[n, k], 0 at those rows.
    """
    penalty = np.asarray(alpha, np.float32)
    mask = (~np.isnan(targets)).astype(np.float32)
    residual = np.nan_to_num(targets).astype(np.float32)
    dual = np.zeros_like(residual)
    towards = residual.copy()
    size = (residual**2).sum(axis=0)
    enough = CLOSE_ENOUGH**2 * np.maximum(size, 1e-12)
    for _ in range(ROUNDS):
        if np.all(size <= enough):
            break
        pushed = mask * (products @ towards) + penalty * towards
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
    hashed = (words * rows.scale[:, None]).astype(np.float32)
    meant = rows.meaning.T @ dual
    known = rows.vectors @ meant
    return Weights(
        words=np.vstack((hashed, known)).astype(np.float32),
        dense=rows.dense.T @ dual.astype(np.float64),
        meaning=(meant[: len(rows.centre)] / rows.size).astype(np.float32),
    )


_Part = tuple[Ints, Floats]


def _parted(feature: Features) -> tuple[_Part, _Part]:
    """Hashed words, and known ones by their own places; both with weights."""
    first = int(np.searchsorted(feature.indices, BUCKETS))
    hashed = feature.indices[:first], feature.weights[:first]
    return hashed, (feature.indices[first:] - BUCKETS, feature.weights[first:])


def _embedded(features: Sequence[Features]) -> tuple[Float32s, Float32s, float]:
    """Embeddings of rows less their mean, of mean square norm 1; the mean, and the divisor.

    A row without one, or with one of another length than the first, gets zeros.
    """
    width = next((len(f.embedding) for f in features if f.embedding is not None), 0)
    rows = np.zeros((len(features), width), np.float32)
    has = np.zeros(len(features), bool)
    for i, feature in enumerate(features):
        if feature.embedding is not None and len(feature.embedding) == width:
            rows[i], has[i] = feature.embedding, True
    centre = np.zeros(width, np.float32)
    if has.any() and width:
        centre = rows[has].mean(axis=0)
        rows[has] -= centre
    size = max(float(np.sqrt((rows**2).sum(axis=1).mean())), 1e-9) if width else 1.0
    return (rows / size).astype(np.float32), centre, size


def _meanings(known: Sequence[_Part], vectors: Float32s) -> tuple[Float32s, Float32s]:
    """Mean vectors of rows, and the vectors of words shifted and scaled so that they are sums.

    The mean over all rows is 0, the mean square norm 1. Weights of a row sum to 1, so that a shift
    of the words is one of the rows.
    """
    means = np.zeros((len(known), vectors.shape[1]), np.float32)
    if not vectors.size:
        return means, vectors
    for row, (places, weights) in zip(means, known, strict=True):
        row[:] = weights.astype(np.float32) @ vectors[places]
    has = np.array([len(places) > 0 for places, _ in known], bool)
    centre = means[has].mean(axis=0) if has.any() else np.zeros(vectors.shape[1], np.float32)
    means[has] -= centre
    size = max(float(np.sqrt((means**2).sum(axis=1).mean())), 1e-9)
    turned = (vectors - centre) / size
    return (means / size).astype(np.float32), turned.astype(np.float32)


class _Sparse(NamedTuple):
    """Entries of a sparse matrix, in order of rows."""

    row: Ints
    bucket: Ints
    value: Float32s

    def take(self, which: npt.NDArray[np.bool_]) -> _Sparse:
        return _Sparse(self.row[which], self.bucket[which], self.value[which])


def _sparse(words: Sequence[tuple[Ints, Float32s]]) -> _Sparse:
    """Rows as entries."""
    sizes = [len(indices) for indices, _ in words]
    return _Sparse(
        np.repeat(np.arange(len(words)), sizes),
        np.concatenate([indices for indices, _ in words]),
        np.concatenate([values for _, values in words]),
    )


def _add_often(products: Float32s, sparse: _Sparse, often: npt.NDArray[np.bool_]) -> None:
    """Add the products over words that many rows have."""
    buckets = np.flatnonzero(often)
    place = np.zeros(BUCKETS, np.int64)
    place[buckets] = np.arange(len(buckets))
    part = sparse.take(often[sparse.bucket])
    block = np.zeros((len(products), len(buckets)), np.float32)
    block[part.row, place[part.bucket]] = part.value
    products += block @ block.T


def _add_seldom(products: Float32s, sparse: _Sparse) -> None:
    """Add the products over the other words: each row meets the entries of its own buckets."""
    n = len(products)
    order = np.argsort(sparse.bucket, kind="stable")
    rows, values = sparse.row[order], sparse.value[order].astype(np.float64)
    counts = np.bincount(sparse.bucket, minlength=BUCKETS)
    firsts = np.concatenate(([0], np.cumsum(counts)[:-1]))
    ends = np.searchsorted(sparse.row, np.arange(n + 1))
    for i in range(n):
        own = slice(ends[i], ends[i + 1])
        buckets = sparse.bucket[own]
        sizes = counts[buckets]
        total = int(sizes.sum())
        shift = np.repeat(firsts[buckets] - np.concatenate(([0], np.cumsum(sizes)[:-1])), sizes)
        met = np.arange(total) + shift if len(buckets) else np.zeros(0, np.int64)
        weights = values[met] * np.repeat(sparse.value[own].astype(np.float64), sizes)
        products[i] += np.bincount(rows[met], weights=weights, minlength=n).astype(np.float32)
