"""The client named a model: what stands against calling it, and what of the query it would lose."""

from __future__ import annotations

from emafusion.domain.errors import NoCandidate
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.query import Query
from emafusion.flow.consider import hold
from emafusion.flow.eligible import hard, not_allowed, reason_against
from emafusion.flow.parts import Parts, Task, Unsupported


def check_named(candidate: Candidate, task: Task, parts: Parts) -> None:
    """Raise `NoCandidate` where the named model cannot give what was asked for.

    Its abilities are not looked at: who names a model knows it, and its provider will say.
    """
    lost = hard(parts.unsupported(task.query, candidate))
    if lost:
        told = f"the API of '{candidate.name}' has no such parameter; leave it out or ask for auto"
        raise NoCandidate(told, where=lost[0])
    reason = next(not_allowed(candidate, task.objective), None)
    if reason is not None:
        raise NoCandidate(f"'{candidate.name}' cannot be called: {reason}", where="model")
    if _has_limits(task.objective):
        features = parts.encoder.encode(task.query)
        hold(task.objective, parts.estimator.estimate(features, (candidate,)))


def may_stand_in(candidate: Candidate, task: Task, parts: Parts) -> bool:
    """Whether a model may be asked instead of another one, or besides it.

    It is allowed, can serve the query whole, and keeps its limits.
    """
    features = parts.encoder.encode(task.query)
    against = reason_against(candidate, task, features=features, unsupported=parts.unsupported)
    if against is not None:
        return False
    if not _has_limits(task.objective):
        return True
    try:
        hold(task.objective, parts.estimator.estimate(features, (candidate,)))
    except NoCandidate:
        return False
    return True


def dropped(query: Query, candidate: Candidate, unsupported: Unsupported) -> str:
    """Names of the parameters that the candidate's API does not know, with commas; may be empty."""
    return ",".join(unsupported(query, candidate))


def _has_limits(objective: Objective) -> bool:
    return objective.max_cost_usd is not None or objective.min_quality is not None
