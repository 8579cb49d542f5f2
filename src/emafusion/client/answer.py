"""What came back."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.attempt import Reply
from emafusion.domain.outcome import RELATIVE, Outcome
from emafusion.gateway.answering import reply_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer and how it came about.

    `reply`: the whole reply, tool calls included; `model`: whose it is, None if fused; `route`: how
    it was chosen; `confidence`: 0..1, the probability that it is acceptable, None where nobody
    judged; `is_relative`: whether that ranks answers and tells no level, no label having been seen;
    `cost_usd`: all calls and judges, None where a price is unknown; `outcome`: everything,
    as it is in the log.
    """

    reply: Reply
    model: str | None
    route: str
    confidence: float | None
    is_relative: bool
    cost_usd: float | None
    decision_id: str
    outcome: Outcome

    @property
    def text(self) -> str:
        """Text of the reply's first choice."""
        return self.reply.text


def answer_of(outcome: Outcome) -> Answer:
    """Read an outcome. Raises the failure where there is no answer."""
    answer = outcome.answer
    return Answer(
        reply=reply_of(outcome),
        model=answer.candidate,
        route=answer.route,
        confidence=answer.confidence,
        is_relative=RELATIVE in outcome.tags,
        cost_usd=answer.evidence.cost_usd,
        decision_id=outcome.decision_id,
        outcome=outcome,
    )
