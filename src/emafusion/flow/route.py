"""The main flow: ask the policy for the next step until it stops.

The policy is asked again after every attempt and every judgement, with all evidence so far. So a
router, a cascade and anything between them are the same loop under different policies.
"""

from __future__ import annotations

import math

from msgspec.structs import replace

from emafusion.domain.command import Flow
from emafusion.domain.errors import Failure
from emafusion.domain.evidence import (
    CallStep,
    Evidence,
    FuseStep,
    GatherStep,
    JudgeStep,
    Plan,
    StopStep,
)
from emafusion.domain.features import Estimates, Features
from emafusion.domain.outcome import Answer
from emafusion.domain.ports import Policy
from emafusion.flow.consider import Considered, consider
from emafusion.flow.fuse import gather, given, write
from emafusion.flow.label import relabel
from emafusion.flow.parts import Parts, Task
from emafusion.flow.retry import afforded, can_fall_back, fallback_of, persist, unaffordable

MAX_STEPS = 256
"""A policy that has not stopped by then is a bug, not a plan."""


def route(task: Task, parts: Parts) -> Flow[Answer]:
    """Answer a query by the policy's steps. Raises `NoCandidate` where nobody can serve it."""
    known = consider(task, parts)
    evidence, plans = Evidence(), list[Plan]()
    policy = policy_for(task, parts)
    if parts.slow is not None:
        known, evidence = yield from relabel(known, parts.slow)
    for _ in range(MAX_STEPS):
        known, evidence, plan = yield from _planned(policy, known, evidence)
        plans.append(plan)
        match plan.step:
            case CallStep():
                evidence = yield from _call(plan.step, known, evidence)
            case JudgeStep():
                evidence = yield from _judge(plan.step, known, evidence)
            case GatherStep():
                evidence = yield from gather(plan.step, known, evidence)
            case FuseStep():
                evidence = yield from write(plan.step, known, evidence)
            case StopStep() if known.task.reserve and can_fall_back(evidence.attempts):
                known, evidence = _with_reserve(known, evidence)
            case StopStep():
                return _answer(known, evidence, tuple(plans))
    msg = f"the policy did not stop within {MAX_STEPS} steps"
    raise RuntimeError(msg)


def forecast(task: Task, parts: Parts) -> tuple[Features, Estimates, Plan]:
    """Plan a query without calling anybody: what `explain` shows."""
    known = consider(task, parts)
    plan = policy_for(task, parts).plan(known.situation(Evidence()))
    return known.features, known.estimates, plan


def policy_for(task: Task, parts: Parts) -> Policy:
    """The policy of a task: another one where fusion was asked for."""
    return parts.fusion if task.is_fused and parts.fusion is not None else parts.policy


def _with_reserve(known: Considered, evidence: Evidence) -> tuple[Considered, Evidence]:
    """Go on with those who were held in reserve, after nobody else has answered."""
    task = replace(known.task, candidates=known.task.reserve, reserve=())
    wider = consider(task, known.parts)
    return wider, wider.weigh(replace(evidence, groups=()))


def _planned(
    policy: Policy, known: Considered, evidence: Evidence
) -> Flow[tuple[Considered, Evidence, Plan]]:
    """The next plan that can be afforded; who may not be called is passed over, as if resting."""
    while True:
        plan = _held_to(policy.plan(known.situation(evidence)), evidence)
        other, resting = fallback_of(plan, evidence), known.task.resting
        if other is None or (yield from afforded(other, known.task.mercy)):
            return known, evidence, plan
        if other in resting:
            return known, evidence, unaffordable()
        known = consider(replace(known.task, resting=resting | {other}), known.parts)
        evidence = known.weigh(evidence)


def _held_to(plan: Plan, evidence: Evidence) -> Plan:
    """The plan, as far as what the client has already seen allows: nothing can follow that."""
    seen = next((i for i, attempt in enumerate(evidence.attempts) if attempt.sent_live), None)
    if seen is None or isinstance(plan.step, JudgeStep):
        return plan
    stop = StopStep(attempt=seen if evidence.attempts[seen].reply is not None else None)
    if plan.step == stop:
        return plan
    return Plan(step=stop, propensity=1.0, reason="it was sent as it came, so it is the answer")


def _call(step: CallStep, known: Considered, evidence: Evidence) -> Flow[Evidence]:
    command = known.call(step.candidate, live=step.live)
    mercy, ahead = known.task.mercy, known.task.ahead
    if ahead is not None and not evidence.attempts:
        ahead(known.features, known.estimates)
    attempts = yield from persist(command, mercy.routed, mercy)
    return known.weigh(replace(evidence, attempts=evidence.attempts + attempts))


def _judge(step: JudgeStep, known: Considered, evidence: Evidence) -> Flow[Evidence]:
    for name in step.judges:
        case = known.case(evidence, step.attempt)
        judgement = yield from known.parts.judges[name].judge(case)
        evidence = replace(evidence, judgements=(*evidence.judgements, judgement))
    return known.weigh(evidence)


def _answer(known: Considered, evidence: Evidence, plans: tuple[Plan, ...]) -> Answer:
    stop = plans[-1].step
    if not isinstance(stop, StopStep):
        msg = "an answer is given by a plan that stops"
        raise TypeError(msg)
    reply, confidence = given(stop, evidence)
    return Answer(
        reply=reply,
        failure=None if reply else last_failure(evidence),
        attempt=None if stop.fused else stop.attempt,
        evidence=evidence,
        plans=plans,
        features=known.features,
        estimates=known.estimates,
        route=known.estimates.route,
        propensity=math.prod(plan.propensity for plan in plans),
        confidence=confidence,
        baseline_usd=known.baseline_usd(),
        fused=stop.fused,
        signals=known.signals(evidence) if known.task.is_explained else (),
    )


def last_failure(evidence: Evidence) -> Failure | None:
    """The failure to report where nothing answered: the last one that was seen."""
    failures = [attempt.failure for attempt in evidence.attempts if attempt.failure]
    return failures[-1] if failures else None
