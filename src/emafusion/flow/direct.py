"""The client named a model: straight to it, with retries and the log, no judging."""

from __future__ import annotations

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow
from emafusion.domain.evidence import CallStep, Evidence, Plan
from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Query
from emafusion.flow.hedge import Fits, anybody
from emafusion.flow.retry import PLENTY, Mercy, afforded, can_fall_back, persist
from emafusion.flow.route import last_failure


def direct(
    query: Query,
    candidate: Candidate,
    *,
    mercy: Mercy = PLENTY,
    fallbacks: tuple[Candidate, ...] = (),
    fits: Fits = anybody,
) -> Flow[Answer]:
    """Answer a query by the one candidate that the client asked for.

    `fallbacks`: who is asked instead, in this order, where it cannot answer; the config names them.
    `fits`: whether one of them can serve this query.
    """
    plans = [_plan(candidate, "the client named the model")]
    attempts: tuple[Attempt, ...] = yield from _ask(query, candidate, mercy)
    for other in fallbacks:
        if not can_fall_back(attempts):
            break
        if not fits(other) or not (yield from afforded(other.name, mercy)):
            continue
        plans.append(_plan(other, f"'{candidate.name}' fails, the config names a fallback"))
        attempts += yield from _ask(query, other, mercy)
    answered = attempts[-1].reply is not None
    evidence = Evidence(
        attempts=attempts,
        confidences=(None,) * len(attempts),
        groups=tuple(0 if attempt.reply else -1 for attempt in attempts),
    )
    return Answer(
        reply=attempts[-1].reply,
        failure=None if answered else last_failure(evidence),
        attempt=len(attempts) - 1 if answered else None,
        evidence=evidence,
        plans=tuple(plans),
        features=None,
        estimates=None,
        route="direct",
        propensity=1.0,
    )


def _ask(query: Query, candidate: Candidate, mercy: Mercy) -> Flow[tuple[Attempt, ...]]:
    command = Call(candidate=candidate, query=query, live=query.stream)
    return (yield from persist(command, mercy.direct, mercy))


def _plan(candidate: Candidate, reason: str) -> Plan:
    step = CallStep(candidate=candidate.name, live=True)
    return Plan(step=step, propensity=1.0, reason=reason)
