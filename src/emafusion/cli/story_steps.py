"""Which attempts and judgements belong to which step of a decision."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from emafusion.domain.attempt import Attempt
from emafusion.domain.evidence import CallStep, FuseStep, GatherStep, Judgement, JudgeStep, Plan
from emafusion.domain.outcome import Answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A step that was taken, and what came of it.

    `attempts`: several where a call was retried, or several were made at once.
    """

    plan: Plan
    attempts: tuple[Attempt, ...] = ()
    judgements: tuple[Judgement, ...] = ()


def done_in_order(answer: Answer) -> Iterator[Done]:
    """Every step with what came of it, in the order in which it happened."""
    attempts, judgements = answer.evidence.attempts, answer.evidence.judgements
    called = judged = 0
    for number, plan in enumerate(answer.plans):
        match plan.step:
            case CallStep():
                later = sum(map(_least, answer.plans[number + 1 :]))
                end = _end_of_call(answer, called, most=len(attempts) - later)
                yield Done(plan=plan, attempts=attempts[called:end])
                called = end
            case GatherStep() as step:
                end = called + len(step.candidates)
                yield Done(plan=plan, attempts=attempts[called:end])
                called = end
            case JudgeStep() as step:
                some = judgements[judged : judged + len(step.judges)]
                yield Done(plan=plan, judgements=some)
                judged += len(some)
            case FuseStep():
                yield _fused(plan, answer)
            case _:
                yield Done(plan=plan)


def _fused(plan: Plan, answer: Answer) -> Done:
    merge = answer.evidence.merge
    if merge is None:
        return Done(plan=plan)
    return Done(plan=plan, attempts=(merge.attempt,), judgements=merge.compared)


def _least(plan: Plan) -> int:
    """Attempts that a step makes at least."""
    match plan.step:
        case CallStep():
            return 1
        case GatherStep() as step:
            return len(step.candidates)
        case _:
            return 0


def _end_of_call(answer: Answer, start: int, *, most: int) -> int:
    """Where the tries of one call end: a try that may succeed later can be followed by another."""
    attempts, end = answer.evidence.attempts, start + 1
    while end < most and attempts[end].candidate == attempts[start].candidate:
        failure = attempts[end - 1].failure
        if failure is None or not failure.retryable:
            break
        end += 1
    return min(end, len(attempts))
