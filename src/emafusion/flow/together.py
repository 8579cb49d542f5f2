"""Answers to parts of a query, put together with everything that was done for them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable

from msgspec.structs import replace

from emafusion.domain.attempt import Choice, Reply, Usage
from emafusion.domain.evidence import (
    Evidence,
    Fused,
    FuseStep,
    JudgeStep,
    Plan,
    Signal,
    Step,
    StopStep,
)
from emafusion.domain.outcome import Answer
from emafusion.domain.piece import Piece, Split
from emafusion.flow.consider import Considered

NAME = "emafusion/parts"
"""What an answer that was put together of parts says it is from."""

ROUTE = "parts"


def put_together(
    split: Split, answers: tuple[Answer, ...], *, spent: Evidence, known: Considered
) -> Answer:
    """One answer of the answers to all parts.

    `spent`: what the splitting took; `known`: what was known of the whole query. A part that needs
    all others, and comes last, is the answer; else each stands after its own number, in order.
    Confident is whoever is confident of every part.
    """
    evidence = all_evidence((spent, *(answer.evidence for answer in answers)))
    sure = [answer.confidence for answer in answers]
    return Answer(
        reply=_reply(split.pieces, answers),
        failure=None,
        attempt=None,
        evidence=evidence,
        plans=_plans(answers),
        features=known.features,
        estimates=known.estimates,
        route=ROUTE,
        propensity=math.prod(answer.propensity for answer in answers),
        confidence=math.prod(s for s in sure if s is not None) if None not in sure else None,
        baseline_usd=known.baseline_usd(),
        fused=Fused(way="parts", attempts=_given(answers)),
        signals=_signals(answers),
    )


def after_all(answers: tuple[Answer, ...], whole: Answer, *, spent: Evidence) -> Answer:
    """The answer to the whole query, with what was spent on parts that came to nothing."""
    every = (*answers, whole)
    start = sum(len(answer.evidence.attempts) for answer in answers)
    return replace(
        whole,
        evidence=all_evidence((spent, *(answer.evidence for answer in every))),
        plans=_plans(every),
        attempt=None if whole.attempt is None else start + whole.attempt,
        fused=None if whole.fused is None else _fused_later(whole.fused, start),
        propensity=math.prod(answer.propensity for answer in every),
        signals=_signals(every),
    )


def all_evidence(every: Iterable[Evidence]) -> Evidence:
    """Evidence of several queries as one: nothing is lost, and costs add up.

    >>> all_evidence((Evidence(), Evidence())) == Evidence()
    True
    """
    whole = Evidence()
    for each in every:
        start = len(whole.attempts)
        merge = each.merge
        if merge is not None:
            of = tuple(start + i for i in merge.of)
            compared = tuple(replace(j, attempt=start + j.attempt) for j in merge.compared)
            merge = replace(merge, of=of, over=start + merge.over, compared=compared)
        whole = Evidence(
            attempts=whole.attempts + each.attempts,
            judgements=whole.judgements
            + tuple(replace(j, attempt=start + j.attempt) for j in each.judgements),
            confidences=whole.confidences + _padded(each),
            groups=whole.groups + _renumbered(each, whole.groups),
            labelled=whole.labelled + each.labelled,
            merge=merge if whole.merge is None else whole.merge,
            gathered=each.gathered if start == 0 else whole.gathered,
        )
    return whole


def _padded(evidence: Evidence) -> tuple[float | None, ...]:
    missing = len(evidence.attempts) - len(evidence.confidences)
    return evidence.confidences + (None,) * missing


def _renumbered(evidence: Evidence, before: tuple[int, ...]) -> tuple[int, ...]:
    """Groups under numbers that no earlier query has."""
    highest, lowest = max(before, default=-1), min(-1, *before, 0)
    groups = evidence.groups + (-1,) * (len(evidence.attempts) - len(evidence.groups))
    return tuple(
        group + highest + 1 if group >= 0 else group if group == -1 else group + lowest + 1
        for group in groups
    )


def _reply(pieces: tuple[Piece, ...], answers: tuple[Answer, ...]) -> Reply:
    replies = [answer.reply for answer in answers if answer.reply is not None]
    last = pieces[-1]
    shown = [(last, replies[-1])] if _needs_all(pieces) else list(zip(pieces, replies, strict=True))
    texts = [f"{piece.mark} {reply.text}".strip() for piece, reply in shown]
    cut = any(reply.choices[0].finish_reason == "length" for reply in replies)
    choice = Choice(text="\n\n".join(texts), finish_reason="length" if cut else "stop")
    return Reply(choices=(choice,), model=NAME, usage=_usage(replies))


def _needs_all(pieces: tuple[Piece, ...]) -> bool:
    """Whether the last part builds on all the others, at first or at second hand."""
    reached, open_ = set[int](), [len(pieces) - 1]
    while open_:
        for need in pieces[open_.pop()].needs:
            if need not in reached:
                reached.add(need)
                open_.append(need)
    return len(reached) == len(pieces) - 1


def _usage(replies: list[Reply]) -> Usage | None:
    known = [reply.usage for reply in replies if reply.usage is not None]
    if len(known) < len(replies):
        return None
    return Usage(
        prompt_tokens=sum(usage.prompt_tokens for usage in known),
        completion_tokens=sum(usage.completion_tokens for usage in known),
        cached_prompt_tokens=sum(usage.cached_prompt_tokens for usage in known),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in known),
        hour_write_tokens=sum(usage.hour_write_tokens for usage in known),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in known),
    )


def _given(answers: tuple[Answer, ...]) -> tuple[int, ...]:
    """Places of the attempts that the answer is made of."""
    places: list[int] = []
    start = 0
    for answer in answers:
        own = (answer.attempt,) if answer.fused is None else answer.fused.attempts
        places += [start + place for place in own if place is not None]
        start += len(answer.evidence.attempts)
    return tuple(places)


def _plans(answers: tuple[Answer, ...]) -> tuple[Plan, ...]:
    plans: list[Plan] = []
    start = 0
    for answer in answers:
        plans += [replace(plan, step=_later(plan.step, start)) for plan in answer.plans]
        start += len(answer.evidence.attempts)
    return tuple(plans)


def _later(step: Step, start: int) -> Step:
    """The same step where so many attempts came before."""
    match step:
        case JudgeStep():
            return replace(step, attempt=start + step.attempt)
        case FuseStep():
            of = tuple(start + i for i in step.attempts)
            return replace(step, attempts=of, over=start + step.over)
        case StopStep():
            attempt = None if step.attempt is None else start + step.attempt
            fused = None if step.fused is None else _fused_later(step.fused, start)
            return StopStep(attempt=attempt, fused=fused)
        case _:
            return step


def _fused_later(fused: Fused, start: int) -> Fused:
    return replace(fused, attempts=tuple(start + i for i in fused.attempts))


def _signals(answers: tuple[Answer, ...]) -> tuple[Signal, ...]:
    told: list[Signal] = []
    start = 0
    for answer in answers:
        told += [replace(each, attempt=start + each.attempt) for each in answer.signals]
        start += len(answer.evidence.attempts)
    return tuple(told)
