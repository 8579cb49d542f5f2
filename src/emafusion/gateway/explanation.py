"""Why a query would be answered as it would: what `explain` and `/v1/route` show."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct, structs

from emafusion.domain.evidence import (
    CallStep,
    FuseStep,
    GatherStep,
    JudgeStep,
    Plan,
    Step,
    StopStep,
)
from emafusion.domain.features import Estimates, Features, Floats
from emafusion.flow.eligible import reason_against
from emafusion.flow.parts import Parts, Task
from emafusion.flow.route import forecast
from emafusion.gateway.named import check_named
from emafusion.gateway.names import named_candidate


class Label(Struct, frozen=True, kw_only=True):
    """The likeliest class on one axis of the taxonomy."""

    axis: str
    label: str
    probability: float


class Weighed(Struct, frozen=True, kw_only=True):
    """What is predicted of one candidate; None where unknown."""

    model: str
    quality: float
    quality_sd: float
    cost_usd: float | None
    latency_s: float | None
    basis: str


class Explanation(Struct, frozen=True, kw_only=True):
    """A plan, with everything it rests on.

    `excluded`: model -> why it cannot serve this query; `artifact`: digest of what was learned;
    `relative`: whether that was without labels, so that qualities rank and tell no level.
    """

    labels: tuple[Label, ...]
    familiarity: float
    route: str
    quality_weight: float
    candidates: tuple[Weighed, ...]
    excluded: dict[str, str]
    first: str
    then: tuple[str, ...]
    reason: str
    quality: float | None
    cost_usd: float | None
    propensity: float
    artifact: str | None = None
    relative: bool = False


def planned(task: Task, parts: Parts) -> Explanation:
    """What would be done: routed, or straight to the model that the query names.

    Raises `UnknownModel` for a name that is not in the pool, `NoCandidate` like the flow itself.
    """
    chosen = named_candidate(task.query.requested, task.candidates)
    if chosen is None:
        return explain(task, parts)
    check_named(chosen, task, parts)
    features = parts.encoder.encode(task.query)
    estimates = parts.estimator.estimate(features, (chosen,))
    step = CallStep(candidate=chosen.name, live=True)
    plan = Plan(step=step, propensity=1.0, reason="the client named the model")
    told = _explanation(task, parts, features=features, estimates=estimates, plan=plan)
    return structs.replace(
        told,
        route="direct",
        excluded={},
        quality=told.candidates[0].quality,
        cost_usd=told.candidates[0].cost_usd,
    )


def explain(task: Task, parts: Parts) -> Explanation:
    """Plan a query without calling anybody. Raises `NoCandidate` like the flow itself."""
    features, estimates, plan = forecast(task, parts)
    return _explanation(task, parts, features=features, estimates=estimates, plan=plan)


def _explanation(
    task: Task, parts: Parts, *, features: Features, estimates: Estimates, plan: Plan
) -> Explanation:
    excluded = {
        c.name: reason_against(c, task, features=features, unsupported=parts.unsupported)
        for c in task.candidates
    }
    return Explanation(
        labels=tuple(
            _label(axis, classes, np.asarray(getattr(features.labels, axis)))
            for axis, classes in parts.classes.items()
        ),
        familiarity=round(estimates.familiarity, 4),
        route=estimates.route,
        quality_weight=task.objective.quality_weight,
        candidates=_weighed(estimates),
        excluded={name: reason for name, reason in excluded.items() if reason is not None},
        first=told(plan.step),
        then=tuple(told(step) for step in plan.likely),
        reason=plan.reason,
        quality=_rounded(plan.quality),
        cost_usd=plan.cost_usd,
        propensity=plan.propensity,
        artifact=parts.artifact,
        relative=parts.relative,
    )


def told(step: Step) -> str:
    """A step in words.

    >>> told(CallStep(candidate="small"))
    'call small'
    """
    match step:
        case CallStep():
            return f"call {step.candidate}"
        case JudgeStep():
            return f"judge by {', '.join(step.judges)}"
        case GatherStep():
            return f"call {', '.join(step.candidates)} at once"
        case FuseStep():
            return f"let {step.candidate} write one answer of {len(step.attempts)}"
        case StopStep():
            return "stop"


def _label(axis: str, classes: tuple[str, ...], probabilities: Floats) -> Label:
    place = int(probabilities.argmax())
    probability = round(float(probabilities[place]), 4)
    return Label(axis=axis, label=classes[place], probability=probability)


def _weighed(estimates: Estimates) -> tuple[Weighed, ...]:
    return tuple(
        Weighed(
            model=name,
            quality=round(float(estimates.quality[i]), 4),
            quality_sd=round(float(estimates.quality_sd[i]), 4),
            cost_usd=_known(estimates.cost_usd[i]),
            latency_s=_known(estimates.latency_s[i]),
            basis=estimates.basis[i],
        )
        for i, name in enumerate(estimates.candidates)
    )


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(f"{value:.4g}")


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
