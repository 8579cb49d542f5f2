"""What a span says, by OpenTelemetry's names for generative AI and, for decisions, our own.

Names of the conventions as of 2026 (`gen_ai.*`, status: development).
"""

from __future__ import annotations

from msgspec import json

from emafusion.domain.attempt import Attempt
from emafusion.domain.evidence import Judgement
from emafusion.domain.model import Candidate
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.domain.session import is_derived

Attributes = dict[str, str | int | float | bool]


def of_request(outcome: Outcome) -> Attributes:
    """A request: what was asked for, who answered, and how that came about."""
    answer = outcome.answer
    return _known(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": outcome.query.requested,
            "gen_ai.response.model": answer.candidate,
            "gen_ai.conversation.id": _given(outcome.session),
            "http.response.status_code": outcome.status,
            "error.type": None if answer.failure is None else answer.failure.code,
            "emafusion.decision_id": outcome.decision_id,
            "emafusion.session": outcome.session,
            "emafusion.route": answer.route,
            "emafusion.attempts": len(answer.evidence.attempts),
            "emafusion.quality_weight": outcome.objective.quality_weight,
            "emafusion.propensity": answer.propensity,
            "emafusion.confidence": answer.confidence,
            "emafusion.cost_usd": answer.evidence.cost_usd,
            "emafusion.baseline_usd": answer.baseline_usd,
            "emafusion.overhead_ms": outcome.overhead_ms,
            "emafusion.key_id": outcome.key_id,
        }
    )


def of_attempt(attempt: Attempt, candidate: Candidate | None) -> Attributes:
    """A call of a model."""
    reply = attempt.reply
    usage = None if reply is None else reply.usage
    return _known(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": None if candidate is None else candidate.model.provider,
            "gen_ai.request.model": attempt.candidate,
            "gen_ai.response.model": None if reply is None else reply.model,
            "gen_ai.usage.input_tokens": None if usage is None else usage.prompt_tokens,
            "gen_ai.usage.output_tokens": None if usage is None else usage.completion_tokens,
            "error.type": None if attempt.failure is None else attempt.failure.code,
            "emafusion.cost_usd": attempt.cost_usd,
            "emafusion.sent_live": attempt.sent_live,
        }
    )


def of_judgement(judgement: Judgement) -> Attributes:
    """A judge's opinion; its words are not told."""
    return _known(
        {
            "emafusion.judge": judgement.judge,
            "emafusion.attempt": judgement.attempt,
            "emafusion.value": judgement.value,
            "emafusion.cost_usd": judgement.cost_usd,
        }
    )


def of_content(query: Query, outcome: Outcome) -> Attributes:
    """What was said, for those who asked for it: texts only."""
    asked = [{"role": m.role, "content": m.text} for m in query.messages]
    reply = outcome.answer.reply
    said = [] if reply is None else [{"role": "assistant", "content": reply.text}]
    return {
        "gen_ai.input.messages": json.encode(asked).decode(),
        "gen_ai.output.messages": json.encode(said).decode(),
    }


def _given(session: str | None) -> str | None:
    """The session that a client gave: the conventions want none that was made up."""
    return None if session is None or is_derived(session) else session


def _known(values: dict[str, str | float | bool | None]) -> Attributes:
    """Those that are known: an attribute is absent, never 0, where it is not."""
    return {name: value for name, value in values.items() if value is not None}
