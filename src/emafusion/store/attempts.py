"""Evidence -> records of attempts and judgements."""

from __future__ import annotations

from itertools import chain, repeat
from typing import Literal

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Choice, Usage
from emafusion.domain.evidence import Evidence, Judgement
from emafusion.store.record import AttemptRecord, JudgementRecord, ToolCallRecord, UsageRecord
from emafusion.store.texts import Texts, storable


def attempt_records(evidence: Evidence, texts: Texts) -> tuple[AttemptRecord, ...]:
    """Write down every attempt, in order; after them the calls to label the query and to fuse."""
    confidences = chain(evidence.confidences, repeat(None))
    groups = chain(evidence.groups, repeat(-1))
    seen = zip(evidence.attempts, confidences, groups, strict=False)
    answers = tuple(
        _attempt(attempt, texts, confidence=confidence, group=group)
        for attempt, confidence, group in seen
    )
    other = tuple(_other(attempt, texts, "label") for attempt in evidence.labelled)
    if evidence.merge is not None:
        other += (_other(evidence.merge.attempt, texts, "fuse"),)
    return answers + other


def judgement_records(evidence: Evidence, texts: Texts) -> tuple[JudgementRecord, ...]:
    """Write down every judgement, in order; verdicts only where texts are kept.

    What was said of a merge names its place among the attempts of the log.
    """
    told = tuple(_judgement(each, texts, place=each.attempt) for each in evidence.judgements)
    if evidence.merge is None:
        return told
    place = len(evidence.attempts) + len(evidence.labelled)
    compared = evidence.merge.compared
    return told + tuple(_judgement(each, texts, place=place) for each in compared)


def _judgement(judgement: Judgement, texts: Texts, *, place: int) -> JudgementRecord:
    return JudgementRecord(
        judge=judgement.judge,
        attempt=place,
        value=judgement.value,
        verdict=texts.keep(judgement.verdict) or "",
        cost_usd=judgement.cost_usd,
        latency_s=judgement.latency_s,
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


def _other(attempt: Attempt, texts: Texts, purpose: Literal["label", "fuse"]) -> AttemptRecord:
    return replace(_attempt(attempt, texts, confidence=None, group=-1), purpose=purpose)


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
