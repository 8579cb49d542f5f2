"""Boosted trees as plain arrays: what models differ in on a query, by yes-or-no questions about it.

They ask about a query's counts and labels, what the heads say of it, and its classes. All trees
are complete and of one depth: node k has the children 2k + 1 and 2k + 2, and what is above the
threshold goes right. A question that is not asked has an infinite threshold.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.features import Floats, Ints
from emafusion.estimate.arrays import SMALL, AnyArray, Arrays, floats

MOST_CLASSES = 64
"""Classes that are asked about, at most: the first so many."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trees:
    """T trees of depth d.

    `feature`: int64[T, 2^d - 1], place among the inputs; `threshold`: float64[T, 2^d - 1];
    `leaves`: float64[T, 2^d, r], summed over trees; `loadings`: float64[n, r], each model's share
    in each sum; `turn`: float64[h, k], from the heads' directions of advantage to those that
    are asked about.
    """

    feature: Ints
    threshold: Floats
    leaves: Floats
    loadings: Floats
    turn: Floats

    @classmethod
    def none(cls) -> Trees:
        """No trees.

        >>> Trees.none().count
        0
        """
        empty = np.zeros((0, 0))
        return cls(
            feature=empty.astype(np.int64), threshold=empty,
            leaves=np.zeros((0, 1, 0)), loadings=empty, turn=empty,
        )  # fmt: skip

    @classmethod
    def from_arrays(cls, arrays: Arrays, n_models: int) -> Trees:
        """Read `router/trees/...` of an artifact; none where it has none.

        Raises:
            BadInput: an array is missing or of another shape.
        """
        if "router/trees/feature" not in arrays:
            return cls.none()
        feature = floats(arrays, "router/trees/feature", (-1, -1))
        loadings = floats(arrays, "router/trees/loadings", (n_models, -1))
        leaves = (len(feature), feature.shape[1] + 1, loadings.shape[1])
        return cls(
            feature=feature.astype(np.int64),
            threshold=floats(arrays, "router/trees/threshold", feature.shape),
            leaves=floats(arrays, "router/trees/leaves", leaves),
            loadings=loadings,
            turn=floats(arrays, "router/trees/turn", (-1, -1)),
        )

    def to_arrays(self) -> dict[str, AnyArray]:
        """Write what `from_arrays` reads."""
        if not self.count:
            return {}
        largest = np.finfo(np.float64).max  # artifacts hold finite numbers
        return {
            "router/trees/feature": self.feature,
            "router/trees/threshold": np.minimum(self.threshold, largest),
            "router/trees/leaves": self.leaves.astype(np.float32),
            "router/trees/loadings": self.loadings,
            "router/trees/turn": self.turn,
        }

    @property
    def count(self) -> int:
        """How many trees there are."""
        return len(self.feature)


def inputs_of(small: Floats, levels: Floats, directions: Floats, *, shares: Floats) -> Floats:
    """What trees ask about: float64[n, d].

    `small`: float64[n, SMALL], labels and counts; `levels`: float64[n, 2], difficulty and
    log-length; `directions`: float64[n, k] of advantage; `shares`: float64[n, K] of classes.
    """
    return np.hstack((small[:, : SMALL - 1], levels, directions, shares[:, :MOST_CLASSES]))


def evaluate(trees: Trees, inputs: Floats) -> Floats:
    """Sums over all trees: float64[n, r].

    >>> stump = Trees(
    ...     feature=np.array([[1]]), threshold=np.array([[0.5]]),
    ...     leaves=np.array([[[-1.0], [2.0]]]), loadings=np.ones((1, 1)), turn=np.ones((1, 1)),
    ... )  # fmt: skip
    >>> evaluate(stump, np.array([[9.0, 0.0], [9.0, 0.6]])).tolist()
    [[-1.0], [2.0]]
    """
    rows, tree = np.arange(len(inputs))[:, None], np.arange(trees.count)
    asked = trees.feature.shape[1]
    node = np.zeros((len(inputs), trees.count), np.int64)
    for _ in range(asked.bit_length()):
        above = inputs[rows, trees.feature[tree, node]] > trees.threshold[tree, node]
        node = 2 * node + 1 + above
    sums: Floats = trees.leaves[tree, node - asked].sum(axis=1)
    return sums
