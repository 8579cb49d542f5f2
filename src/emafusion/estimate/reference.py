"""Reference queries: typical work as features alone, without its words, to set the dial on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from emafusion.domain.features import Features, Labels
from emafusion.estimate.arrays import AnyArray, Arrays, floats

AXES = ("task", "depth", "domain", "format")


def reference_arrays(features: Sequence[Features]) -> dict[str, AnyArray]:
    """Store features as `reference/...`; needs at least one."""
    labels = {
        f"reference/{axis}": np.array([getattr(f.labels, axis) for f in features], np.float32)
        for axis in AXES
    }
    return {
        "reference/sizes": np.array([len(f.indices) for f in features], np.int64),
        "reference/indices": np.concatenate([f.indices for f in features]).astype(np.uint32),
        "reference/weights": np.concatenate([f.weights for f in features]).astype(np.float16),
        "reference/counts": np.array([f.counts for f in features], np.float32),
        "reference/tokens": np.array([f.prompt_tokens for f in features], np.int64),
        **labels,
    }


def reference_features(arrays: Arrays) -> tuple[Features, ...]:
    """Read what `reference_arrays` stored; empty where an artifact has none.

    Raises:
        BadInput: arrays do not fit together.
    """
    if "reference/sizes" not in arrays:
        return ()
    sizes = floats(arrays, "reference/sizes", (-1,)).astype(np.int64)
    n, total = len(sizes), int(sizes.sum())
    ends = np.cumsum(sizes)[:-1]
    indices = np.split(floats(arrays, "reference/indices", (total,)).astype(np.int64), ends)
    weights = np.split(floats(arrays, "reference/weights", (total,)), ends)
    counts = floats(arrays, "reference/counts", (n, 20))
    tokens = floats(arrays, "reference/tokens", (n,))
    task, depth, domain, form = (
        floats(arrays, f"reference/{axis}", (n, size))
        for axis, size in zip(AXES, (16, 5, 14, 8), strict=True)
    )
    return tuple(
        Features(
            indices=indices[i],
            weights=weights[i],
            counts=counts[i],
            labels=Labels(task=task[i], depth=depth[i], domain=domain[i], format=form[i]),
            prompt_tokens=int(tokens[i]),
            prompt_hash="",
        )
        for i in range(n)
    )
