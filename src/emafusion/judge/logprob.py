"""The judge by token log-probabilities: how sure the model was of its own words."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from emafusion.domain.attempt import TokenLogprob
from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement

MAX_TOKENS = 4_096
LEAST = -100.0
"""A log-probability below this counts as this: some providers write -9999 for none."""

CARD = JudgeCard(name="logprob", kind="logprob")


@dataclass(frozen=True, slots=True)
class LogprobJudge:
    """Value exp(mean log-probability) of the answer's tokens, 0..1; abstains where there are none.

    Log-probabilities are the model's own belief: comparable for one model, not between models
    (the panel calibrates them). A value above 0 in a provider's data counts as 0.
    """

    @property
    def card(self) -> JudgeCard:
        """Name `logprob`, free."""
        return CARD

    def judge(self, case: Case) -> Flow[Judgement]:
        """Read one attempt; yields nothing."""
        yield from ()  # a flow that wants nothing done
        reply = case.subject.reply
        belief = None if reply is None else beliefs(reply.choices[0].logprobs)
        if belief is None:
            return Judgement(
                judge="logprob", attempt=case.attempt, value=None, verdict="no log-probabilities"
            )
        verdict = f"mean p {belief.mean:.3f}, least {belief.least:.3f}, {belief.tokens} tokens"
        return Judgement(judge="logprob", attempt=case.attempt, value=belief.mean, verdict=verdict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """`mean`: geometric mean of the token probabilities; `least`: the least; both 0..1."""

    mean: float
    least: float
    tokens: int


def beliefs(logprobs: Sequence[TokenLogprob]) -> Belief | None:
    """Summary of (at most the last 4,096) log-probabilities; None if none is a number.

    >>> beliefs(
    ...     [TokenLogprob(token="7", logprob=0.0), TokenLogprob(token=".", logprob=-math.log(4))]
    ... )
    Belief(mean=0.5, least=0.25, tokens=2)
    """
    said = [t.logprob for t in logprobs[-MAX_TOKENS:] if not math.isnan(t.logprob)]
    if not said:
        return None
    known = [max(LEAST, min(logprob, 0.0)) for logprob in said]
    return Belief(
        mean=_round(math.fsum(known) / len(known)), least=_round(min(known)), tokens=len(known)
    )


def _round(logprob: float) -> float:
    return round(math.exp(logprob), 12)
