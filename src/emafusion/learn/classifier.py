"""Training of the fast classifier: ridge regression on the classes, in closed form.

Scores are those of one regression for all axes; a temperature fitted on held-out scores turns
them into probabilities, and thresholds cut the depth score.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.features import Features, Floats, Ints, Labels
from emafusion.encode.classify import COLUMNS, ClassifierState, softmax
from emafusion.encode.counts import COUNTS
from emafusion.encode.taxonomy import DEPTHS, DOMAINS, FORMATS, TASKS
from emafusion.learn.examples import UNKNOWN, Examples
from emafusion.learn.gram import Rows, gram, make_rows, solve, weights_of

AXES = {
    "task": (0, 0, len(TASKS)),
    "domain": (2, 16, len(DOMAINS)),
    "format": (3, 30, len(FORMATS)),
}
"""Axis -> column in `Examples.classes`, first column of scores, number of classes."""

ALPHA = 1.0
COUNT_WEIGHT = 0.3
"""Scale of the counts beside the words, whose rows have norm 1."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Trained:
    """A classifier and the scores it gave examples while held out: float64[n, COLUMNS]."""

    state: ClassifierState
    held_out: Floats


def fit_classifier(examples: Examples, folds: Ints, alpha: float = ALPHA) -> Trained:
    """Learn the classifier.

    `folds`: int64[n], fold of each example; held-out scores come from the other folds. The same
    input gives the same weights.
    """
    rows = _rows(examples)
    products, targets = gram(rows), _targets(examples.classes)
    centre = np.nanmean(targets, axis=0)
    held_out = np.zeros((len(targets), COLUMNS))
    for fold in np.unique(folds):
        rest, here = folds != fold, folds == fold
        dual = solve(products[np.ix_(rest, rest)], targets[rest] - centre, alpha)
        held_out[here] = products[np.ix_(here, rest)] @ dual + centre
    weights = weights_of(rows, solve(products, targets - centre, alpha))
    plain = ClassifierState(
        words=weights.words,
        counts=(COUNT_WEIGHT * weights.dense).astype(np.float32),
        bias=centre.astype(np.float32),
        thresholds=np.arange(0.5, 4.0),
    )
    return _calibrated(plain, held_out, examples.classes)


def accuracies(trained: Trained, classes: Ints, rows: npt.NDArray[np.bool_]) -> dict[str, float]:
    """Share of held-out examples whose class is the likeliest, for each axis that any knows.

    `rows`: bool[n], which examples count.
    """
    scores, classes = trained.held_out[rows], classes[rows]
    found: dict[str, float] = {}
    for name, (column, first, size) in AXES.items():
        known = classes[:, column] != UNKNOWN
        if known.any():
            likeliest = scores[known, first : first + size].argmax(axis=1)
            found[name] = float((likeliest == classes[known, column]).mean())
    depth = np.digitize(scores[:, -1], trained.state.thresholds)
    found["depth_within_1"] = float((abs(depth - classes[:, 1]) <= 1).mean())
    return found


def _rows(examples: Examples) -> Rows:
    """Examples as rows for the regression."""
    n = len(examples.words)
    uniform = Labels(task=np.zeros(16), depth=np.zeros(5), domain=np.zeros(14), format=np.zeros(8))
    features = [
        Features(
            indices=indices, weights=weights, counts=examples.counts[i], labels=uniform,
            prompt_tokens=1, prompt_hash="",
        )
        for i, (indices, weights) in enumerate(examples.words)
    ]  # fmt: skip
    return make_rows(features, COUNT_WEIGHT * examples.counts.reshape(n, len(COUNTS)))


def _targets(classes: Ints) -> Floats:
    """What to regress on: one column a class, 0 or 1, NaN where unknown; depth as a number."""
    targets = np.zeros((len(classes), COLUMNS))
    for column, first, size in AXES.values():
        targets[:, first : first + size] = np.eye(size)[classes[:, column]]
        targets[classes[:, column] == UNKNOWN, first : first + size] = np.nan
    targets[:, -1] = classes[:, 1]
    return targets


def _calibrated(plain: ClassifierState, held_out: Floats, classes: Ints) -> Trained:
    """Scale scores so that held-out probabilities fit best, and place the thresholds."""
    scale = np.ones(COLUMNS)
    for column, first, size in AXES.values():
        known = classes[:, column] != UNKNOWN
        axis = slice(first, first + size)
        scale[axis] = _sharpness(held_out[known, axis], classes[known, column])
    spread = float((held_out[:, -1] - classes[:, 1]).std())
    scale[-1] = 1.7 / max(spread, 0.1)  # a logistic of this slope has the residuals' spread
    state = ClassifierState(
        words=(plain.words * scale).astype(np.float32),
        counts=(plain.counts * scale).astype(np.float32),
        bias=(plain.bias * scale).astype(np.float32),
        thresholds=scale[-1] * np.arange(0.5, len(DEPTHS) - 1),
    )
    return Trained(state=state, held_out=held_out * scale)


def _sharpness(scores: Floats, classes: Ints) -> float:
    """Inverse temperature of least log-loss on a grid from 1 to 60."""
    if len(classes) == 0:
        return 1.0
    grid = np.geomspace(1.0, 60.0, 60)
    rows = np.arange(len(classes))
    losses = [-np.log(np.maximum(softmax(scores * g)[rows, classes], 1e-9)).mean() for g in grid]
    return float(grid[int(np.argmin(losses))])
