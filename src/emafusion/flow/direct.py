"""The client named a model: straight to it, with retries and the log, no judging."""

from __future__ import annotations

from emafusion.domain.command import Call, Flow
from emafusion.domain.evidence import CallStep, Evidence, Plan
from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Answer
from emafusion.domain.query import Query
from emafusion.flow.retry import DIRECT, persist
from emafusion.flow.route import last_failure


def direct(query: Query, candidate: Candidate) -> Flow[Answer]:
    """Answer a query by the one candidate that the client asked for."""
    step = CallStep(candidate=candidate.name, live=True)
    plan = Plan(step=step, propensity=1.0, reason="the client named the model")
    command = Call(candidate=candidate, query=query, live=query.stream)
    attempts = yield from persist(command, DIRECT)
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
        plans=(plan,),
        features=None,
        estimates=None,
        route="direct",
        propensity=1.0,
    )
