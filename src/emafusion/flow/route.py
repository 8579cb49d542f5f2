"""The main flow: ask the policy for the next step until it stops.

The policy is asked again after every attempt and every judgement, with all evidence so far. So a
router, a cascade and anything between them are the same loop under different policies.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow
from emafusion.domain.errors import Failure, NoCandidate
from emafusion.domain.evidence import (
    CallStep,
    Case,
    Evidence,
    JudgeStep,
    Plan,
    Situation,
)
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Answer
from emafusion.flow.eligible import eligible
from emafusion.flow.parts import Parts, Task
from emafusion.flow.retry import ROUTED, persist

MAX_STEPS = 64
"""A policy that has not stopped by then is a bug, not a plan."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    """What does not change while a query is answered."""

    task: Task
    parts: Parts
    features: Features
    estimates: Estimates
    candidates: tuple[Candidate, ...]


def route(task: Task, parts: Parts) -> Flow[Answer]:
    """Answer a query by the policy's steps. Raises `NoCandidate` where nobody can serve it."""
    known = consider(task, parts)
    evidence, plans = Evidence(), list[Plan]()
    for _ in range(MAX_STEPS):
        plan = parts.policy.plan(_situation(known, evidence))
        plans.append(plan)
        match plan.step:
            case CallStep():
                evidence = yield from _call(plan.step, known, evidence)
            case JudgeStep():
                evidence = yield from _judge(plan.step, known, evidence)
            case stop:
                return _answer(known, evidence, tuple(plans), stop.attempt)
    msg = f"the policy did not stop within {MAX_STEPS} steps"
    raise RuntimeError(msg)


def forecast(task: Task, parts: Parts) -> tuple[Features, Estimates, Plan]:
    """Plan a query without calling anybody: what `explain` shows."""
    known = consider(task, parts)
    plan = parts.policy.plan(_situation(known, Evidence()))
    return known.features, known.estimates, plan


def consider(task: Task, parts: Parts) -> _Known:
    """Encode the query, keep the candidates that can serve it, and predict them."""
    features = parts.encoder.encode(task.query)
    fit = eligible(task, features)
    estimates = parts.estimator.estimate(features, fit)
    floor = task.objective.min_quality
    if floor is not None and not (estimates.quality >= floor).any():
        best = float(estimates.quality.max())
        msg = f"no model is predicted to reach {floor:g}; the best reaches {best:.2f}"
        raise NoCandidate(msg, where="min_quality")
    return _Known(
        task=task, parts=parts, features=features, estimates=estimates, candidates=fit
    )


def _situation(known: _Known, evidence: Evidence) -> Situation:
    return Situation(
        query_id=known.task.query.query_id,
        features=known.features,
        estimates=known.estimates,
        candidates=known.candidates,
        judges=tuple(judge.card for judge in known.parts.judges.values()),
        evidence=evidence,
        objective=known.task.objective,
    )


def _call(step: CallStep, known: _Known, evidence: Evidence) -> Flow[Evidence]:
    candidate = next(c for c in known.candidates if c.name == step.candidate)
    live = step.live and known.task.query.stream
    command = Call(candidate=candidate, query=known.task.query, live=live)
    attempts = yield from persist(command, ROUTED)
    return _weigh(replace(evidence, attempts=evidence.attempts + attempts), known)


def _judge(step: JudgeStep, known: _Known, evidence: Evidence) -> Flow[Evidence]:
    for name in step.judges:
        case = _case(known, evidence, step.attempt)
        judgement = yield from known.parts.judges[name].judge(case)
        evidence = replace(evidence, judgements=(*evidence.judgements, judgement))
    return _weigh(evidence, known)


def _weigh(evidence: Evidence, known: _Known) -> Evidence:
    """Group the answers and let the panel say how far each can be trusted."""
    groups = known.parts.group(known.task.query, evidence.attempts)
    evidence = replace(evidence, groups=groups)
    confidences = tuple(
        _confidence(attempt, _case(known, evidence, i), known)
        for i, attempt in enumerate(evidence.attempts)
    )
    return replace(evidence, confidences=confidences)


def _confidence(attempt: Attempt, case: Case, known: _Known) -> float | None:
    if attempt.reply is None:
        return None
    quality = float(
        known.estimates.quality[known.estimates.candidates.index(attempt.candidate)]
    )
    return known.parts.panel.combine(quality, case)


def _case(known: _Known, evidence: Evidence, attempt: int) -> Case:
    return Case(
        query=known.task.query,
        evidence=evidence,
        attempt=attempt,
        candidates=known.candidates,
    )


def _answer(
    known: _Known, evidence: Evidence, plans: tuple[Plan, ...], attempt: int | None
) -> Answer:
    chosen = None if attempt is None else evidence.attempts[attempt]
    return Answer(
        reply=chosen.reply if chosen else None,
        failure=last_failure(evidence) if chosen is None else chosen.failure,
        attempt=attempt,
        evidence=evidence,
        plans=plans,
        features=known.features,
        estimates=known.estimates,
        route=known.estimates.route,
        propensity=math.prod(plan.propensity for plan in plans),
        confidence=None if attempt is None else evidence.confidences[attempt],
        baseline_usd=_baseline_usd(known),
    )


def last_failure(evidence: Evidence) -> Failure | None:
    """The failure to report where nothing answered: the last one that was seen."""
    failures = [attempt.failure for attempt in evidence.attempts if attempt.failure]
    return failures[-1] if failures else None


def _baseline_usd(known: _Known) -> float | None:
    names, single = known.estimates.candidates, known.parts.best_single
    if single not in names:
        return None
    cost_usd = float(known.estimates.cost_usd[names.index(single)])
    return None if math.isnan(cost_usd) else cost_usd
