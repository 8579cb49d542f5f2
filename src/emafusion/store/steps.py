"""Plan -> PlanRecord."""

from __future__ import annotations

from emafusion.domain.evidence import (
    CallStep,
    FuseStep,
    GatherStep,
    JudgeStep,
    Plan,
    Signal,
    Step,
    StopStep,
)
from emafusion.store.record import PlanRecord, SignalRecord, StepRecord
from emafusion.store.texts import storable


def plan_records(
    plans: tuple[Plan, ...], signals: tuple[Signal, ...] = ()
) -> tuple[PlanRecord, ...]:
    """Write down every plan; the last one with how each confidence came about."""
    last = len(plans) - 1
    told = tuple(map(_signal_record, signals))
    return tuple([plan_record(plan, told if i == last else ()) for i, plan in enumerate(plans)])


def plan_record(plan: Plan, signals: tuple[SignalRecord, ...] = ()) -> PlanRecord:
    """Write down one plan."""
    return PlanRecord(
        step=step_record(plan.step),
        propensity=plan.propensity,
        reason=storable(plan.reason),
        likely=tuple(map(step_record, plan.likely)),
        quality=plan.quality,
        cost_usd=plan.cost_usd,
        signals=signals,
    )


def step_record(step: Step) -> StepRecord:
    """Write down one step.

    >>> step_record(CallStep(candidate="small")).kind
    'call'
    """
    match step:
        case CallStep():
            return StepRecord(kind="call", candidate=step.candidate, live=step.live)
        case JudgeStep():
            return StepRecord(kind="judge", judges=step.judges, attempt=step.attempt)
        case GatherStep():
            return StepRecord(kind="gather", candidates=step.candidates)
        case FuseStep():
            return StepRecord(
                kind="fuse", candidate=step.candidate, attempts=step.attempts, attempt=step.over
            )
        case StopStep():
            return _stop_record(step)


def _stop_record(step: StopStep) -> StepRecord:
    if step.fused is None:
        return StepRecord(kind="stop", attempt=step.attempt)
    return StepRecord(kind="stop", attempts=step.fused.attempts, fused=step.fused.way)


def _signal_record(signal: Signal) -> SignalRecord:
    return SignalRecord(
        name=signal.name,
        attempt=signal.attempt,
        value=signal.value,
        weight=signal.weight,
        before=signal.before,
        after=signal.after,
        cost_usd=signal.cost_usd,
        effective=signal.effective,
    )
