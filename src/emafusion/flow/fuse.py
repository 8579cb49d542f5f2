"""Fusing: several candidates at once, one answer written of several, and what is given of them."""

from __future__ import annotations

from dataclasses import replace as with_fields

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.command import Call, Flow, Race, call, race
from emafusion.domain.evidence import (
    Case,
    Evidence,
    Fused,
    FuseStep,
    GatherStep,
    Judgement,
    Merge,
    StopStep,
)
from emafusion.flow.consider import Considered

NAME = "emafusion/fusion"
"""What an answer that several models made together says it is from."""


def gather(step: GatherStep, known: Considered, evidence: Evidence) -> Flow[Evidence]:
    """Call several candidates at once; all are waited for, and all are held."""
    calls = tuple(known.call(name) for name in step.candidates)
    attempts = yield from race(Race(calls=calls, need=len(calls)))
    together = len(attempts) if not evidence.attempts else evidence.gathered
    found = replace(evidence, attempts=evidence.attempts + attempts, gathered=together)
    return known.weigh(found)


def write(step: FuseStep, known: Considered, evidence: Evidence) -> Flow[Evidence]:
    """Have one answer written of several; it is kept only if it is preferred to the best of them.

    It must pass the hard checks, and be preferred in both orders by a margin. A judge that
    abstains leaves the best single answer.
    """
    fusing = known.parts.fusing
    if fusing is None:
        msg = "a policy let an answer be written where nobody can ask for one"
        raise RuntimeError(msg)
    answers = tuple(evidence.attempts[i] for i in step.attempts)
    question = fusing.writer.question(known.task.query, answers)
    writer = known.candidate(step.candidate)
    attempt = yield from call(Call(candidate=writer, query=question, purpose="fuse"))
    merge = Merge(attempt=attempt, of=step.attempts, over=step.over)
    if attempt.reply is None:
        return replace(evidence, merge=merge)
    compared = yield from _checked(attempt, known, step.over)
    if not compared:
        compared = yield from fusing.comparer.compare(known.case(evidence, step.over), attempt)
    kept = is_preferred(compared, fusing.margin)
    return replace(evidence, merge=replace(merge, compared=compared, kept=kept))


def is_preferred(compared: tuple[Judgement, ...], margin: float) -> bool:
    """Whether every order prefers it by more than the margin; no comparison is no preference.

    >>> said = Judgement(judge="llm:a", attempt=0, value=0.7)
    >>> is_preferred((said, said), 0.1), is_preferred((said,), 0.3), is_preferred((), 0.0)
    (True, False, False)
    """
    values = [0.0 if each.value is None else each.value for each in compared]
    return min(values, default=0.0) > 0.5 + margin


def given(stop: StopStep, evidence: Evidence) -> tuple[Reply | None, float | None]:
    """The reply that a stop gives, and the confidence in it."""
    if stop.fused is None:
        if stop.attempt is None:
            return None, None
        return evidence.attempts[stop.attempt].reply, evidence.confidences[stop.attempt]
    if stop.fused.way == "merge":
        return _merged(evidence, stop.fused)
    first = stop.fused.attempts[0]
    return _together(evidence.attempts[first]), evidence.confidences[first]


def _merged(evidence: Evidence, fused: Fused) -> tuple[Reply | None, float | None]:
    """A merge is trusted at least as far as the best of what it was written from."""
    merge = evidence.merge
    if merge is None:
        return None, None
    known = [c for i in fused.attempts if (c := evidence.confidences[i]) is not None]
    return _together(merge.attempt), max(known, default=None)


def _together(attempt: Attempt) -> Reply | None:
    reply = attempt.reply
    return None if reply is None else with_fields(reply, model=NAME, origin=None)


def _checked(attempt: Attempt, known: Considered, over: int) -> Flow[tuple[Judgement, ...]]:
    """What hard checks find against a merge; nothing where they find nothing."""
    alone = Case(
        query=known.task.query,
        evidence=Evidence(attempts=(attempt,)),
        attempt=0,
        candidates=known.candidates,
    )
    for judge in known.parts.judges.values():
        if judge.card.kind == "rules":
            judgement = yield from judge.judge(alone)
            if judgement.value == 0.0:
                return (replace(judgement, attempt=over),)
    return ()
