"""Evidence -> records of attempts and judgements."""

from __future__ import annotations

from itertools import chain, repeat

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Choice, Usage
from emafusion.domain.evidence import Evidence
from emafusion.store.record import AttemptRecord, JudgementRecord, ToolCallRecord, UsageRecord
from emafusion.store.texts import Texts, storable


def attempt_records(evidence: Evidence, texts: Texts) -> tuple[AttemptRecord, ...]:
    """Write down every attempt, in order; after them the calls made to label the query."""
    confidences = chain(evidence.confidences, repeat(None))
    groups = chain(evidence.groups, repeat(-1))
    seen = zip(evidence.attempts, confidences, groups, strict=False)
    answers = tuple(
        _attempt(attempt, texts, confidence=confidence, group=group)
        for attempt, confidence, group in seen
    )
    return answers + tuple(_label(attempt, texts) for attempt in evidence.labelled)


def judgement_records(evidence: Evidence, texts: Texts) -> tuple[JudgementRecord, ...]:
    """Write down every judgement, in order; verdicts only where texts are kept."""
    return tuple(
        JudgementRecord(
            judge=judgement.judge,
            attempt=judgement.attempt,
            value=judgement.value,
            verdict=texts.keep(judgement.verdict) or "",
            cost_usd=judgement.cost_usd,
            latency_s=judgement.latency_s,
        )
        for judgement in evidence.judgements
    )


def escalated(attempts: tuple[Attempt, ...]) -> bool:
    """Whether another candidate was asked although one had answered already.

    >>> escalated(())
    False
    """
    answered: str | None = None
    for attempt in attempts:
        if answered is not None and attempt.candidate != answered:
            return True
        if attempt.reply is not None:
            answered = attempt.candidate
    return False


def _attempt(
    attempt: Attempt, texts: Texts, *, confidence: float | None, group: int
) -> AttemptRecord:
    if attempt.reply is None:
        return _failed(attempt, texts, group=group)
    choice, *others = attempt.reply.choices
    return AttemptRecord(
        candidate=attempt.candidate,
        model=storable(attempt.reply.model),
        response=texts.keep(choice.text),
        response_hash=texts.hash(choice.text),
        others=tuple(filter(None, (texts.keep(other.text) for other in others))),
        tool_calls=_tool_calls(choice, texts),
        refusal=texts.keep(choice.refusal),
        finish=choice.finish_reason,
        mean_logprob=_mean_logprob(choice),
        usage=None if attempt.reply.usage is None else _usage(attempt.reply.usage),
        cost_usd=attempt.cost_usd,
        latency_s=attempt.latency_s,
        ttft_s=attempt.ttft_s,
        sent_live=attempt.sent_live,
        confidence=confidence,
        group=group,
    )


def _label(attempt: Attempt, texts: Texts) -> AttemptRecord:
    return replace(_attempt(attempt, texts, confidence=None, group=-1), purpose="label")


def _failed(attempt: Attempt, texts: Texts, *, group: int) -> AttemptRecord:
    failure = attempt.failure
    return AttemptRecord(
        candidate=attempt.candidate,
        failure=None if failure is None else failure.kind,
        failure_message=None if failure is None else texts.message(str(failure)),
        upstream_status=None if failure is None else failure.upstream_status,
        cost_usd=attempt.cost_usd,
        latency_s=attempt.latency_s,
        ttft_s=attempt.ttft_s,
        sent_live=attempt.sent_live,
        group=group,
    )


def _tool_calls(choice: Choice, texts: Texts) -> tuple[ToolCallRecord, ...]:
    if texts.prompts == "hash":
        return ()
    return tuple(
        ToolCallRecord(name=storable(call.name), arguments=storable(call.arguments))
        for call in choice.tool_calls
    )


def _mean_logprob(choice: Choice) -> float | None:
    if not choice.logprobs:
        return None
    return sum(token.logprob for token in choice.logprobs) / len(choice.logprobs)


def _usage(usage: Usage) -> UsageRecord:
    return UsageRecord(
        prompt_tokens=usage.prompt_tokens,
        completion_tokens=usage.completion_tokens,
        cached_prompt_tokens=usage.cached_prompt_tokens,
        cache_write_tokens=usage.cache_write_tokens,
        hour_write_tokens=usage.hour_write_tokens,
        reasoning_tokens=usage.reasoning_tokens,
        cpu_s=usage.cpu_s,
    )
