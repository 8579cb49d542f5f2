"""What is known of a query before any call, and what is predicted from it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from msgspec import Struct, field

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Labels(Struct, frozen=True, kw_only=True):
    """Where the query stands on the taxonomy: a distribution for each axis, summing to 1.

    `task`: float64[16]; `depth`: float64[5], reasoning depth 1 to 5; `domain`: float64[14];
    `format`: float64[8]. Names of the classes: `encode.taxonomy`.
    """

    task: Floats
    depth: Floats
    domain: Floats
    format: Floats


class Features(Struct, frozen=True, kw_only=True, eq=False):
    """A query as numbers.

    `indices`: int64[k], ascending: distinct buckets of hashed word n-grams, then places of words
    that the encoder knows; `weights`: float64[k], of the buckets of Euclidean norm 1, of the known
    words of sum 1 (or none); `counts`: float64[20], hand-made counts in 0..1.
    `prompt_tokens`: estimated tokens of the whole conversation. `prompt_hash`: hex digest.
    `dataset`: the client's own name for this kind of work, None where it gave none. `embedding`:
    float32[e], as the query has it.
    """

    indices: Ints
    weights: Floats
    counts: Floats
    labels: Labels
    prompt_tokens: int
    prompt_hash: str
    dataset: str | None = None
    embedding: npt.NDArray[np.float32] | None = None


class Estimates(Struct, frozen=True, kw_only=True, eq=False):
    """Predictions for one query, arrays in the order of `candidates`.

    `quality`: float64[n], predicted score in 0..1; `quality_sd`: float64[n], its standard error;
    `cost_usd`, `latency_s`: float64[n], expected, NaN where unknown. `familiarity`: 0..1, how well
    the query resembles what the estimator learned from. `route`: which view decided
    (`taxonomy`, `learned`, `prior`). `basis`: for each candidate, one phrase on what its quality
    rests on, such as `taxonomy: 431 outcomes` or `prior: price, family, size`.
    """

    candidates: tuple[str, ...]
    quality: Floats
    quality_sd: Floats
    cost_usd: Floats
    latency_s: Floats
    familiarity: float
    route: str
    basis: tuple[str, ...] = field(default=())
