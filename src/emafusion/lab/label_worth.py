"""What the labels of a log have brought so far, and how many more would bring what."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from emafusion.build.promising import Promise
from emafusion.domain.features import Floats
from emafusion.gateway.labels.page import Step
from emafusion.lab.certifying import FEWEST as FEWEST_CERTIFIED
from emafusion.lab.certifying import Wanted
from emafusion.learn.panel.heads import FEWEST, FINE
from emafusion.replay.guarantee.logged import FEWEST as FEWEST_FOR_MEAN
from emafusion.replay.guarantee.promise import queries_needed
from emafusion.store.feedback.feedback import Feedback

LINE, CURVE = FEWEST, int(FINE.shrink)
"""Labels from which on judges are calibrated by a line (Platt), by a curve (isotonic)."""


def steps(
    feedback: Sequence[Feedback], promise: Promise | None = None, audits: Sequence[Feedback] = ()
) -> tuple[Step, ...]:
    """What there is to say.

    `feedback`: all there is; `promise`: one that is in service, with `audits` of its answers.
    """
    scores = np.array([each.score for each in looked_at(feedback)], dtype=np.float64)
    first = () if promise is None else (audit_step(promise, audits),)
    return (*first, *_steps(scores))


def looked_at(feedback: Sequence[Feedback]) -> list[Feedback]:
    """Of each answer that somebody was asked to look at the newest label or audit."""
    newest = {each.decision_id: each for each in feedback if each.source != "client"}
    return list(newest.values())


def _steps(scores: Floats) -> Iterator[Step]:
    count = len(scores)
    right, wrong = int((scores == 1.0).sum()), int((scores == 0.0).sum())
    between = f", {count - right - wrong} in between" if count > right + wrong else ""
    told = f"{right:,} right, {wrong:,} wrong{between}." if count else ""
    if count >= FEWEST_FOR_MEAN:
        told += " emafusion log --totals tells by them how good all answers are."
    yield Step(name=f"Labels so far: {count:,}", told=told)
    yield _calibration(scores)
    yield _promise(scores)


def _calibration(scores: Floats) -> Step:
    """How far `fit` can make the judges' probabilities true by these labels."""
    count, both = len(scores), len(scores) > 0 and scores.min() < scores.max()
    if count < LINE or not both:
        told = f"From {LINE} labels on, right ones and wrong ones, fit draws a line (Platt)."
        if count >= LINE:
            told = "All labels are alike: it takes answers of both kinds."
        return Step(name="Judges calibrated: not yet", told=told, have=count, need=LINE)
    if count < CURVE:
        told = f"fit draws a line (Platt); from about {CURVE} labels on, a curve (isotonic)."
        return Step(name="Judges calibrated: a line", told=told, have=count, need=CURVE)
    told = "fit draws a curve (isotonic) that further labels sharpen."
    return Step(name="Judges calibrated: a curve", told=told)


def _promise(scores: Floats) -> Step:
    """How many labelled queries certify takes, if nothing is lost on answers like these."""
    wanted = Wanted()
    seen = scores if len(scores) >= FEWEST_CERTIFIED and scores.any() else np.ones(1)
    delta = 1.0 - wanted.confidence
    need = queries_needed(seen, seen, wanted.min_quality, delta=delta) or 0
    told = (
        f"With about {need:,} queries whose answers by every model have labels, certify can "
        f"promise {wanted.min_quality:.0%} of the best one's quality if cheaper ones are as good."
    )
    if len(scores) >= need:
        return Step(name="A promise: emafusion certify may give one", told=told)
    return Step(name="A promise: not yet", told=told, have=len(scores), need=need)


def audit_step(promise: Promise, audits: Sequence[Feedback]) -> Step:
    """How the bet against a promise in service stands."""
    audit = promise.audit
    for each in audits:
        audit = audit.see(1.0 - each.score)
    name = f"Under audit: {promise.told}"
    if not audits:
        return Step(name=name, told="No answer has been audited yet.")
    mean = sum(each.score for each in audits) / len(audits)
    stands = f"{len(audits):,} audited, mean score {mean:.2f}; {promise.least:.2f} was promised."
    if audit.alarmed:
        return Step(name=name, told=f"{stands} The promise is broken: certify again.")
    stake, win = audit.wealth.wealth, 1 / promise.delta
    bet = f"The bet against it stands at {stake:.2g}; at {win:g} the promise is broken."
    return Step(name=name, told=f"{stands} {bet}")
