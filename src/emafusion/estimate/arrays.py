"""The arrays of an artifact, as the estimators read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features, Floats

AnyArray = npt.NDArray[np.generic]
Arrays = Mapping[str, AnyArray]
Float32s = npt.NDArray[np.float32]

BUCKETS = 2**15
"""Hash buckets of `Features.indices`; the encoder has as many."""

TASKS, DEPTHS, DOMAINS, FORMATS, COUNTS = 16, 5, 14, 8, 20
"""Classes of each axis and number of counts, fixed by `Labels` and `Features`."""

SMALL = TASKS + DEPTHS + DOMAINS + FORMATS + COUNTS + 1
"""Length of the small dense vector: labels, counts, one."""


def floats(arrays: Arrays, name: str, shape: tuple[int, ...]) -> Floats:
    """Read one array as float64 and check its shape; -1 in `shape` fits any length.

    Raises:
        BadInput: absent or of another shape.
    """
    array = arrays.get(name)
    if array is None:
        raise BadInput(f"array {name} is missing", where="artifact")
    same = len(array.shape) == len(shape) and all(
        wanted in (-1, found) for wanted, found in zip(shape, array.shape, strict=True)
    )
    if not same:
        raise BadInput(f"array {name} is {array.shape}, should be {shape}", where="artifact")
    return array.astype(np.float64)


def words(arrays: Arrays, name: str) -> tuple[str, ...]:
    """Read an array of strings.

    Raises:
        BadInput: absent or not of strings.
    """
    array = arrays.get(name)
    if array is None or array.dtype.kind != "U":
        raise BadInput(f"array {name} of strings is missing", where="artifact")
    return tuple(str(word) for word in array.tolist())


def pack(weights: Float32s) -> dict[str, AnyArray]:
    """Store a wide matrix in 8 bits: signed square roots, scaled by column.

    >>> packed = pack(np.array([[0.5, -2.0], [0.0, 1.0]], np.float32))
    >>> unpack(packed["bytes"], packed["largest"]).round(1).tolist()
    [[0.5, -2.0], [0.0, 1.0]]
    """
    largest: Float32s = np.maximum(np.abs(weights).max(axis=0, initial=0.0), np.float32(1e-12))
    roots = np.sign(weights) * np.sqrt(np.abs(weights) / largest)
    return {"bytes": np.round(127 * roots).astype(np.int8), "largest": largest.astype(np.float32)}


def unpack(stored: AnyArray, largest: AnyArray) -> Float32s:
    """Undo `pack`."""
    roots = stored.astype(np.float32) / np.float32(127)
    wide: Float32s = np.sign(roots) * roots**2 * largest.astype(np.float32)
    return wide


def small_vectors(features: Sequence[Features]) -> Floats:
    """Labels, counts and a one of each query: float64[n, SMALL]."""
    rows = np.ones((len(features), SMALL))
    for row, each in zip(rows, features, strict=True):
        labels = each.labels
        parts = (labels.task, labels.depth, labels.domain, labels.format, each.counts)
        np.concatenate(parts, out=row[:-1])
    return rows
