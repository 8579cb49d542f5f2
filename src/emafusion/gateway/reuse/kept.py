"""An answer that was kept, and the outcome that giving it again makes."""

from __future__ import annotations

from msgspec import MsgspecError, Struct, msgpack

from emafusion.domain.attempt import Reply
from emafusion.domain.evidence import Evidence, Plan, StopStep
from emafusion.domain.outcome import Answer, Outcome

ROUTE = "cache"
"""Route of an answer that was given again."""


class Kept(Struct, frozen=True, kw_only=True, eq=False):
    """An answer worth keeping.

    `decision_id`: of the request that it was made for; `size`: bytes that it takes, about.
    """

    reply: Reply
    decision_id: str
    confidence: float | None
    baseline_usd: float | None
    size: int


_ENCODE = msgpack.Encoder().encode
_DECODE = msgpack.Decoder(Kept).decode


def worth_keeping(outcome: Outcome) -> Kept | None:
    """The answer of an outcome, if it is whole and good; None for a failure or a cut-off one."""
    answer = outcome.answer
    if answer.reply is None or outcome.status != 200:
        return None
    if any(choice.finish_reason == "length" for choice in answer.reply.choices):
        return None
    return Kept(
        reply=answer.reply,
        decision_id=outcome.decision_id,
        confidence=answer.confidence,
        baseline_usd=answer.baseline_usd,
        size=_size(answer.reply) + len(outcome.query.prompt),
    )


def to_bytes(kept: Kept) -> bytes:
    """As other processes are told of it."""
    return _ENCODE(kept)


def kept_from(told: bytes | None) -> Kept | None:
    """What another process told; None where that is nothing, or another version's."""
    try:
        return None if told is None else _DECODE(told)
    except MsgspecError:
        return None


def given_again(kept: Kept) -> Answer:
    """The same answer once more: nobody is asked, nothing is spent."""
    why = f"the answer of {kept.decision_id} to the same request is given again"
    return Answer(
        reply=kept.reply,
        failure=None,
        attempt=None,
        evidence=Evidence(),
        plans=(Plan(step=StopStep(attempt=None), propensity=1.0, reason=why),),
        features=None,
        estimates=None,
        route=ROUTE,
        propensity=1.0,
        confidence=kept.confidence,
        baseline_usd=kept.baseline_usd,
    )


def _size(reply: Reply) -> int:
    origin = 0 if reply.origin is None else sum(len(raw) for _, raw in reply.origin.fields)
    texts = sum(
        len(choice.text)
        + len(choice.reasoning or "")
        + sum(len(each.arguments) for each in choice.tool_calls)
        + 80 * len(choice.logprobs)
        for choice in reply.choices
    )
    return 500 + 2 * texts + origin
