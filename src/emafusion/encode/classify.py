"""The fast classifier: a linear model over hashed words and counts, a softmax for each axis.

Reasoning depth is ordinal: one score and four ascending thresholds,
P(depth > k) = sigmoid(score - threshold_k).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from math import exp

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats, Ints, Labels
from emafusion.encode.counts import COUNTS
from emafusion.encode.hashing import BUCKETS
from emafusion.encode.taxonomy import DEPTHS, DOMAINS, FORMATS, TASKS

Float32s = npt.NDArray[np.float32]
SparseWords = tuple[Ints, Floats]
"""Buckets and weights, as `hash_words` returns them."""

COLUMNS = len(TASKS) + len(DOMAINS) + len(FORMATS) + 1
"""Columns of the weights: tasks, domains, formats, then the depth score."""

_TASK = slice(0, len(TASKS))
_DOMAIN = slice(_TASK.stop, _TASK.stop + len(DOMAINS))
_FORMAT = slice(_DOMAIN.stop, _DOMAIN.stop + len(FORMATS))
_STARTS = np.array([_TASK.start, _DOMAIN.start, _FORMAT.start])
_AXIS = np.repeat(np.arange(3), [len(TASKS), len(DOMAINS), len(FORMATS)])
_SAME_AXIS = (_AXIS[:, None] == _AXIS).astype(np.float64)
DEPTH_DECAY = 0.8
"""How much of an earlier turn's depth carries over to the next turn."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClassifierState:
    """Weights of the classifier.

    `words`: float32[BUCKETS, COLUMNS]; `counts`: float32[20, COLUMNS]; `bias`: float32[COLUMNS];
    `thresholds`: float64[4], ascending. Temperatures are divided in.
    """

    words: Float32s
    counts: Float32s
    bias: Float32s
    thresholds: Floats

    def __post_init__(self) -> None:
        """Check shapes."""
        shapes = (self.words.shape, self.counts.shape, self.bias.shape, self.thresholds.shape)
        wanted = ((BUCKETS, COLUMNS), (len(COUNTS), COLUMNS), (COLUMNS,), (len(DEPTHS) - 1,))
        if shapes != wanted:
            msg = f"classifier weights have shapes {shapes}, should be {wanted}"
            raise BadInput(msg, where="artifact")

    @classmethod
    def blank(cls) -> ClassifierState:
        """Weights that say nothing: every axis uniform."""
        return cls(
            words=np.zeros((BUCKETS, COLUMNS), np.float32),
            counts=np.zeros((len(COUNTS), COLUMNS), np.float32),
            bias=np.zeros(COLUMNS, np.float32),
            thresholds=np.log([1 / 4, 2 / 3, 3 / 2, 4.0]),
        )

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, npt.NDArray[np.generic]]) -> ClassifierState:
        """Read `encoder/...` of an artifact; blank where the artifact has none."""
        if "encoder/words" not in arrays:
            return cls.blank()
        return cls(
            words=_unpacked(arrays["encoder/words"], arrays["encoder/largest"]),
            counts=arrays["encoder/counts"].astype(np.float32),
            bias=arrays["encoder/bias"].astype(np.float32),
            thresholds=arrays["encoder/thresholds"].astype(np.float64),
        )

    def to_arrays(self) -> Mapping[str, npt.NDArray[np.generic]]:
        """Write what `from_arrays` reads; words in 8 bits: signed square roots, by column."""
        largest: Float32s = np.maximum(np.abs(self.words).max(axis=0), np.float32(1e-12))
        roots: Float32s = np.sign(self.words) * np.sqrt(np.abs(self.words) / largest)
        return {
            "encoder/words": np.round(127 * roots).astype(np.int8),
            "encoder/largest": largest,
            "encoder/counts": self.counts,
            "encoder/bias": self.bias,
            "encoder/thresholds": self.thresholds,
        }


def classify(state: ClassifierState, words: SparseWords, counts: Floats) -> Labels:
    """Label a query.

    >>> blank = classify(ClassifierState.blank(), (np.array([3]), np.ones(1)), np.zeros(20))
    >>> blank.task.shape, blank.depth.round(3).tolist()
    ((16,), [0.2, 0.2, 0.2, 0.2, 0.2])
    """
    scores = scores_of(state, words, counts)
    shares = _softmaxes(scores[:-1])
    return Labels(
        task=shares[_TASK],
        domain=shares[_DOMAIN],
        format=shares[_FORMAT],
        depth=depth_of(float(scores[-1]), state.thresholds),
    )


def scores_of(state: ClassifierState, words: SparseWords, counts: Floats) -> Floats:
    """Linear scores before softmax: float64[COLUMNS]."""
    indices, weights = words
    scores = weights.astype(np.float32) @ state.words.take(indices, axis=0)
    scores += counts.astype(np.float32) @ state.counts
    scores += state.bias
    return scores.astype(np.float64)


def softmax(scores: Floats) -> Floats:
    """Turn scores into probabilities along the last axis."""
    raised = np.exp(scores - scores.max(axis=-1, keepdims=True))
    shares: Floats = raised / raised.sum(axis=-1, keepdims=True)
    return shares


def _softmaxes(scores: Floats) -> Floats:
    """Softmax of each axis by itself, side by side: float64[COLUMNS - 1]."""
    raised = np.exp(scores - np.maximum.reduceat(scores, _STARTS).take(_AXIS))
    raised /= raised @ _SAME_AXIS
    return raised


def depth_of(score: float, thresholds: Floats) -> Floats:
    """Distribution over the five depths, for four ascending thresholds."""
    limits: list[float] = thresholds.tolist()
    one, two, three, four = [1 / (1 + exp(_within(limit - score))) for limit in limits]
    return np.array((1.0 - one, one - two, two - three, three - four, four))


def _within(logit: float) -> float:
    return logit if -50.0 < logit < 50.0 else 50.0 if logit > 0 else -50.0


def carry_depth(latest: Floats, earlier: tuple[Floats, ...]) -> Floats:
    """Depth of a turn given those of earlier turns, the most recent first: a decayed maximum.

    P(depth > k) is the largest over the turns, each turn back counting 0.8 of it, so that "yes, go
    on" after a hard question is not taken for an easy query.

    >>> hard, easy = np.array([0, 0, 0, 0, 1.0]), np.array([1.0, 0, 0, 0, 0])
    >>> carry_depth(easy, (hard,)).round(2).tolist()
    [0.2, 0.0, 0.0, 0.0, 0.8]
    """
    deeper = _survival(latest)
    for age, depth in enumerate(earlier, start=1):
        deeper = np.maximum(deeper, DEPTH_DECAY**age * _survival(depth))
    return _from_survival(deeper.tolist())


def _unpacked(stored: npt.NDArray[np.generic], largest: npt.NDArray[np.generic]) -> Float32s:
    """Weights from their signed square roots in 8 bits."""
    roots = stored.astype(np.float32) / np.float32(127)
    words: Float32s = roots * np.abs(roots) * largest.astype(np.float32)
    return words


def _survival(depth: Floats) -> Floats:
    """P(depth > k) for k = 1..4."""
    tail: Floats = 1 - np.cumsum(depth)[:-1]
    return tail


def _from_survival(deeper: list[float]) -> Floats:
    """Inverse of `_survival`."""
    edges = [1.0, *deeper, 0.0]
    return np.array([max(high - low, 0.0) for high, low in pairwise(edges)])
