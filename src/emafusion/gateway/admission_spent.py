"""What a request took, from what was seen of it; what is not known is as was estimated."""

from __future__ import annotations

from emafusion.domain.attempt import Attempt
from emafusion.domain.outcome import Answer
from emafusion.gateway.admission_charges import Spent
from emafusion.gateway.admission_need import Need


def spent_of(answer: Answer, need: Need) -> Spent:
    """Tokens of the answer given, US dollars of everything that was done for it."""
    evidence = answer.evidence
    known_usd = evidence.cost_usd
    usd = known_usd
    if usd is None:
        calls = (*evidence.attempts, *evidence.labelled)
        usd = sum(_call_usd(attempt, need) for attempt in calls) + sum(
            need.judge_usd if each.cost_usd is None else each.cost_usd
            for each in evidence.judgements
        )
    return Spent(usd=usd, tokens=_tokens(answer, need, usd), is_estimate=known_usd is None)


def _call_usd(attempt: Attempt, need: Need) -> float:
    if attempt.cost_usd is not None:
        return attempt.cost_usd
    dearest = max(need.calls_usd.values(), default=0.0)
    return need.calls_usd.get(attempt.candidate, dearest)


def _tokens(answer: Answer, need: Need, usd: float) -> int:
    """Of the answer; none where nothing answered and nothing was billed."""
    if answer.reply is None:
        return need.tokens if usd > 0.0 else 0
    usage = answer.reply.usage
    return need.tokens if usage is None else usage.prompt_tokens + usage.completion_tokens
