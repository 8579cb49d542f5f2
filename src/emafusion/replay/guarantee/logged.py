"""The mean quality of what a log holds: few labels that were drawn, and everybody's confidence."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from msgspec import Struct

from emafusion.replay.guarantee.powered import drawn_mean
from emafusion.store.feedback.feedback import Feedback

FEWEST = 20
"""Drawn labels below which no mean is told."""


class Quality(Struct, frozen=True, kw_only=True):
    """Mean score of answers, 0..1, with its 95 % interval; None where labels are too few.

    `labels`: those that were drawn, each with a known chance; `answers`: all that had a confidence.
    """

    answers: int
    labels: int
    mean: float | None = None
    low: float | None = None
    high: float | None = None


def quality_of(
    confidences: Iterable[tuple[str, float | None]], feedback: Iterable[Feedback]
) -> Quality:
    """The quality of answers: decision and confidence of each, and what people said of them.

    A label that nobody drew was chosen by somebody, and does not count. Chances are scaled so that
    those who were drawn stand for all: draws are repeated, and answers come after the last one.
    """
    drawn = {each.decision_id: each for each in feedback if each.source != "client"}
    known = [(name, sure) for name, sure in confidences if sure is not None]
    scores, chances = np.full(len(known), np.nan), np.ones(len(known))
    for i, (name, _) in enumerate(known):
        label = drawn.get(name)
        if label is not None and label.propensity is not None and label.propensity > 0.0:
            scores[i], chances[i] = label.score, label.propensity
    is_drawn = np.isfinite(scores)
    labels = int(is_drawn.sum())
    if labels < FEWEST:
        return Quality(answers=len(known), labels=labels)
    scale = float((1.0 / chances[is_drawn]).sum()) / len(known)
    found = drawn_mean(scores, np.array([sure for _, sure in known]), chances * scale)
    return Quality(
        answers=len(known),
        labels=found.labels,
        mean=min(max(found.mean, 0.0), 1.0),
        low=max(found.low, 0.0),
        high=min(found.high, 1.0),
    )
