"""Step -> StepRecord."""

from __future__ import annotations

from emafusion.domain.evidence import CallStep, JudgeStep, Step
from emafusion.store.record import StepRecord


def step_record(step: Step) -> StepRecord:
    """Write down one step.

    >>> step_record(CallStep(candidate="small")).kind
    'call'
    """
    if isinstance(step, CallStep):
        return StepRecord(kind="call", candidate=step.candidate, live=step.live)
    if isinstance(step, JudgeStep):
        return StepRecord(kind="judge", judges=step.judges, attempt=step.attempt)
    return StepRecord(kind="stop", attempt=step.attempt)
