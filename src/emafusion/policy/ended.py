"""When a query is at its end whatever a policy would like."""

from __future__ import annotations

from emafusion.domain.errors import Cancelled, DeadlinePassed
from emafusion.domain.evidence import Plan, Situation, StopStep

ENDS = (DeadlinePassed, Cancelled)


def is_over(situation: Situation) -> bool:
    """Whether nobody can be called any more: no time, no client, or half an answer already sent."""
    return any(
        attempt.failure is not None and (attempt.sent_live or isinstance(attempt.failure, ENDS))
        for attempt in situation.evidence.attempts
    )


def stop(attempt: int | None, reason: str) -> Plan:
    """Give this attempt; None: nothing answered."""
    return Plan(step=StopStep(attempt=attempt), propensity=1.0, reason=reason)
