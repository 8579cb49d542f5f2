"""An outcome as other processes are told of it: what its client was given, and no more."""

from __future__ import annotations

from msgspec import MsgspecError, Struct, msgpack

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.errors import Declined
from emafusion.domain.evidence import Evidence
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer, Outcome
from emafusion.domain.query import Query
from emafusion.gateway.facts import EXPLAIN


class _Given(Struct, frozen=True, kw_only=True, array_like=True):
    """`candidates`: who was called, in order; `attempt`: whose answer of them it is."""

    reply: Reply
    decision_id: str
    created_at: float
    candidates: tuple[str, ...]
    attempt: int | None
    cost_usd: float | None
    route: str
    propensity: float
    confidence: float | None
    baseline_usd: float | None
    latency_s: float
    overhead_ms: float
    tags: tuple[tuple[str, str], ...]


_ENCODE = msgpack.Encoder().encode
_DECODE = msgpack.Decoder(_Given).decode


def told_of(outcome: Outcome) -> bytes | None:
    """An outcome as bytes; None where there is no answer to give again."""
    answer = outcome.answer
    if answer.reply is None:
        return None
    return _ENCODE(
        _Given(
            reply=answer.reply,
            decision_id=outcome.decision_id,
            created_at=outcome.created_at,
            candidates=tuple(each.candidate for each in answer.evidence.attempts),
            attempt=answer.attempt,
            cost_usd=answer.evidence.cost_usd,
            route=answer.route,
            propensity=answer.propensity,
            confidence=answer.confidence,
            baseline_usd=answer.baseline_usd,
            latency_s=outcome.latency_s,
            overhead_ms=outcome.overhead_ms,
            tags=tuple(tag for tag in outcome.tags if tag != EXPLAIN),
        )
    )


def heard(told: bytes, query: Query, objective: Objective) -> Outcome | None:
    """The outcome that was told of, for the same request; None where it cannot be read.

    The calls behind it are there by name and number; all that they cost is the first one's.
    """
    try:
        given = _DECODE(told)
    except MsgspecError:  # another version's
        return None
    answer = Answer(
        reply=given.reply,
        failure=None,
        attempt=given.attempt,
        evidence=Evidence(attempts=tuple(_attempts(given))),
        plans=(),
        features=None,
        estimates=None,
        route=given.route,
        propensity=given.propensity,
        confidence=given.confidence,
        baseline_usd=given.baseline_usd,
    )
    return Outcome(
        decision_id=given.decision_id,
        created_at=given.created_at,
        query=query,
        objective=objective,
        answer=answer,
        status=200,
        latency_s=given.latency_s,
        overhead_ms=given.overhead_ms,
        tags=given.tags,
    )


def _attempts(given: _Given) -> list[Attempt]:
    made: list[Attempt] = []
    for place, candidate in enumerate(given.candidates):
        is_given = place == given.attempt
        failure = None if is_given else Declined("what it said is known where it was asked")
        reply = given.reply if is_given else None
        cost_usd = 0.0 if place else given.cost_usd
        made.append(Attempt(candidate=candidate, reply=reply, failure=failure, cost_usd=cost_usd))
    return made
