"""An answer as it is expected, before anybody is called: what would be done with it."""

from __future__ import annotations

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Choice, Reply
from emafusion.domain.evidence import CallStep, Evidence, JudgeCard, JudgeStep, Plan, Situation

UNEQUALLED = -2
"""Number of a group that no other answer can join."""

_SILENT = Reply(choices=(Choice(),), model="")


def expected(situation: Situation, plan: Plan, *, comparable: float) -> Situation | None:
    """The situation once the called candidate has answered as predicted.

    None where the plan lets nothing through, or nobody waits for a stream.
    """
    step = plan.step
    if not (situation.streamed and isinstance(step, CallStep) and step.live):
        return None
    place = situation.estimates.candidates.index(step.candidate)
    evidence = Evidence(
        attempts=(Attempt(candidate=step.candidate, reply=_SILENT),),
        confidences=(float(situation.estimates.quality[place]),),
        groups=(0 if comparable >= 0.5 else UNEQUALLED,),
    )
    return replace(situation, evidence=evidence)


def held(plan: Plan, judge: JudgeCard) -> Plan:
    """The same plan, but the answer is held until the judge has read it."""
    step = plan.step
    if isinstance(step, CallStep):
        step = replace(step, live=False)
    read = JudgeStep(judges=(judge.name,), attempt=0)
    why = f"{plan.reason}, but {judge.name} may change that"
    return replace(plan, step=step, likely=(read,), reason=why)
