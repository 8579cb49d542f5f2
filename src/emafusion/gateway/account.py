"""The account of a decision: every step and signal, and why it stopped there.

The same for `ask --explain`, for the log and for a client that asks for it.
"""

from __future__ import annotations

from msgspec import Struct

from emafusion.domain.attempt import Attempt
from emafusion.domain.evidence import Evidence, Fused, Plan, Signal, StopStep
from emafusion.domain.outcome import Answer
from emafusion.gateway.explanation import told


class Tried(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One call: of whom, for what, and what came of it.

    `purpose`: `answer`, `label` or `fuse`. `confidence`: that it is acceptable, at the end.
    """

    model: str
    purpose: str = "answer"
    failure: str | None = None
    confidence: float | None = None
    cost_usd: float | None = None
    latency_s: float = 0.0


class Moved(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One signal on one answer: what it said, what it weighs, the probability before and after.

    `attempt`: place among the calls, from 0; `effective_judges`: how many model judges that err
    apart those heard so far are worth; see `domain.evidence.Signal`.
    """

    signal: str
    attempt: int
    model: str
    before: float
    after: float
    value: float | None = None
    weight: float = 0.0
    cost_usd: float | None = 0.0
    effective_judges: float | None = None


class Taken(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One step, why it was taken, and with what probability the policy takes it there."""

    step: str
    because: str
    propensity: float = 1.0
    expected_quality: float | None = None
    expected_cost_usd: float | None = None


class Account(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A decision that was made.

    `fused`: how an answer of several came about. `relative`: why confidences tell no level, where
    they do not.
    """

    steps: tuple[Taken, ...]
    calls: tuple[Tried, ...]
    signals: tuple[Moved, ...] = ()
    compared: tuple[Moved, ...] = ()
    stopped_because: str = ""
    fused: str | None = None
    relative: str | None = None


TOLD_RELATIVE = "no label was seen: confidence ranks answers, and tells no level"


def account(answer: Answer, *, relative: bool = False) -> Account:
    """Tell how an answer came about. `relative`: whether its confidence tells no level."""
    return Account(
        steps=tuple(_taken(plan, answer.evidence) for plan in answer.plans),
        calls=calls_of(answer.evidence),
        signals=tuple(_moved(signal, answer.evidence) for signal in answer.signals),
        compared=_compared(answer.evidence),
        stopped_because=answer.plans[-1].reason if answer.plans else "",
        fused=None if answer.fused is None else told_fused(answer.fused, answer.evidence),
        relative=TOLD_RELATIVE if relative else None,
    )


def calls_of(evidence: Evidence) -> tuple[Tried, ...]:
    """Every call, those that only label or fuse after those that answer."""
    confidences = (*evidence.confidences, *[None] * len(evidence.attempts))
    found = [
        _tried(attempt, "answer", confidence)
        for attempt, confidence in zip(evidence.attempts, confidences, strict=False)
    ]
    found += [_tried(attempt, "label", None) for attempt in evidence.labelled]
    if evidence.merge is not None:
        found.append(_tried(evidence.merge.attempt, "fuse", None))
    return tuple(found)


def told_fused(fused: Fused, evidence: Evidence) -> str:
    """How an answer of several came about, in words.

    >>> told_fused(Fused(way="vote", attempts=()), Evidence())
    'the equal answer of nobody'
    """
    names = [evidence.attempts[i].candidate for i in fused.attempts]
    several = ", ".join(names) if names else "nobody"
    match fused.way:
        case "vote":
            return f"the equal answer of {several}"
        case "merge":
            return f"written from the answers of {several}"
        case "parts":
            return f"put together of parts answered by {several}"


def _taken(plan: Plan, evidence: Evidence) -> Taken:
    return Taken(
        step=_step(plan, evidence),
        because=plan.reason,
        propensity=plan.propensity,
        expected_quality=plan.quality,
        expected_cost_usd=plan.cost_usd,
    )


def _step(plan: Plan, evidence: Evidence) -> str:
    step = plan.step
    if not isinstance(step, StopStep):
        return told(step)
    if step.fused is not None:
        return f"give {told_fused(step.fused, evidence)}"
    return (
        "give up" if step.attempt is None else f"give {evidence.attempts[step.attempt].candidate}"
    )


def _tried(attempt: Attempt, purpose: str, confidence: float | None) -> Tried:
    return Tried(
        model=attempt.candidate,
        purpose=purpose,
        failure=None if attempt.failure is None else attempt.failure.kind,
        confidence=rounded(confidence),
        cost_usd=attempt.cost_usd,
        latency_s=round(attempt.latency_s, 3),
    )


def _moved(signal: Signal, evidence: Evidence) -> Moved:
    return Moved(
        signal=signal.name,
        attempt=signal.attempt,
        model=evidence.attempts[signal.attempt].candidate,
        value=rounded(signal.value),
        weight=round(signal.weight, 4),
        before=round(signal.before, 4),
        after=round(signal.after, 4),
        cost_usd=signal.cost_usd,
        effective_judges=rounded(signal.effective),
    )


def _compared(evidence: Evidence) -> tuple[Moved, ...]:
    """What was said of a written answer against the best single one; 0.5 is no preference."""
    merge = evidence.merge
    if merge is None:
        return ()
    return tuple(
        Moved(
            signal=each.judge,
            attempt=merge.over,
            model=merge.attempt.candidate,
            value=rounded(each.value),
            before=0.5,
            after=0.5 if each.value is None else round(each.value, 4),
            cost_usd=each.cost_usd,
        )
        for each in merge.compared
    )


def rounded(value: float | None) -> float | None:
    """Four decimals, or None."""
    return None if value is None else round(value, 4)
