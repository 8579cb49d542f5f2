"""Decomposition: a query of several tasks, each routed by itself, the answers put together.

The same flow answers each part as would answer the whole. It is done only where the parts are
predicted to cost clearly less and each to be answered no worse; else, and whenever anything is in
doubt, the query is answered whole. Every call, judgement and plan is in the answer's evidence.
"""

from __future__ import annotations

from dataclasses import replace as with_fields

from msgspec.structs import replace

from emafusion.domain.command import Flow
from emafusion.domain.errors import NoCandidate
from emafusion.domain.evidence import Evidence, Plan
from emafusion.domain.outcome import Answer
from emafusion.domain.piece import Piece, Split
from emafusion.domain.query import Message, Query, TextPart
from emafusion.flow.consider import consider
from emafusion.flow.parts import Parts, Task
from emafusion.flow.route import policy_for, route
from emafusion.flow.together import after_all, put_together

SHARE = 0.7
"""Parts must be predicted to cost less than this share of the whole. Stated."""

LEAST_TOKENS = 256
"""Completion tokens that each part must have left of a limit."""


def answered(task: Task, parts: Parts) -> Flow[Answer]:
    """Answer a query, in parts where that pays. Raises `NoCandidate` like `route`."""
    if parts.splitter is None or task.is_fused or not is_plain(task.query):
        return (yield from route(task, parts))
    whole = _forecast(task, parts)
    if whole is None or not _may_split(parts.splitter.cost_usd, whole):
        return (yield from route(task, parts))
    split = yield from parts.splitter.split(task.query)
    if not (
        split.holds and _has_room(task.query, split) and _pays(task, parts, split, whole=whole)
    ):
        answer = yield from route(task, parts)
        return _with_asked(answer, split)
    return (yield from _in_parts(task, parts, split))


def is_plain(query: Query) -> bool:
    """Whether it is one message of text that wants one text: anything else stays whole."""
    spoken = [message for message in query.messages if message.role not in {"system", "developer"}]
    one = len(spoken) == 1 and spoken[0].role == "user"
    simple = query.format.kind == "text" and query.settings.n == 1 and not query.settings.logprobs
    return one and simple and not query.tools and not query.has_images and not query.settings.stop


def part_of(
    query: Query, piece: Piece, *, number: int, needed: tuple[tuple[Piece, str], ...]
) -> Query:
    """The query of one part; what it needs of earlier ones comes before it, as turns.

    `number`: from 0. Instructions of the system hold for every part.
    """
    told = [message for message in query.messages if message.role in {"system", "developer"}]
    for earlier, text in needed:
        told.append(Message(role="user", parts=(TextPart(text=earlier.text),)))
        told.append(Message(role="assistant", parts=(TextPart(text=text),)))
    told.append(Message(role="user", parts=(TextPart(text=piece.text),)))
    return with_fields(
        query,
        query_id=f"{query.query_id}.{number + 1}",
        messages=tuple(told),
        stream=False,
        origin=None,
    )


def _in_parts(task: Task, parts: Parts, split: Split) -> Flow[Answer]:
    """Answer each part; where one fails, the whole after all."""
    alone = with_fields(parts, fusing=None)
    answers: list[Answer] = []
    spent = Evidence(labelled=split.asked)
    for number, piece in enumerate(split.pieces):
        texts = tuple((split.pieces[need], _text(answers[need])) for need in piece.needs)
        query = part_of(task.query, piece, number=number, needed=texts)
        query = _limited(query, len(split.pieces))
        try:
            answer = yield from route(_part(task, query, answers), alone)
        except NoCandidate:
            break
        answers.append(answer)
        if answer.reply is None:
            break
    known = consider(task, parts)
    if len(answers) == len(split.pieces) and answers[-1].reply is not None:
        return put_together(split, tuple(answers), spent=spent, known=known)
    whole = yield from route(task, parts)
    return after_all(tuple(answers), whole, spent=spent)


def _part(task: Task, query: Query, before: list[Answer]) -> Task:
    """The task of one part, with what is left of the money."""
    objective, most = task.objective, task.objective.max_cost_usd
    if most is not None:
        spent = sum(answer.evidence.cost_usd or 0.0 for answer in before)
        objective = with_fields(objective, max_cost_usd=max(most - spent, 0.0))
    return replace(task, query=query, objective=objective)


def _limited(query: Query, count: int) -> Query:
    """A limit on tokens is shared among the parts."""
    most = query.settings.max_tokens
    if most is None:
        return query
    return with_fields(query, settings=replace(query.settings, max_tokens=most // count))


def _has_room(query: Query, split: Split) -> bool:
    most = query.settings.max_tokens
    return most is None or most // len(split.pieces) >= LEAST_TOKENS


def _forecast(task: Task, parts: Parts) -> Plan | None:
    """What the policy expects of a query; None where it cannot say."""
    try:
        known = consider(task, parts)
    except NoCandidate:
        return None
    plan = policy_for(task, parts).plan(known.situation(Evidence()))
    return plan if plan.quality is not None and plan.cost_usd is not None else None


def _may_split(fee_usd: float | None, whole: Plan) -> bool:
    """Whether splitting could still pay after its own price."""
    if fee_usd is None:
        return False
    return fee_usd == 0.0 or fee_usd < (1.0 - SHARE) * (whole.cost_usd or 0.0)


def _pays(task: Task, parts: Parts, split: Split, *, whole: Plan) -> bool:
    """Whether all parts together cost clearly less, and each is answered no worse."""
    cost_usd, quality = (parts.splitter.cost_usd if parts.splitter else None) or 0.0, 1.0
    for number, piece in enumerate(split.pieces):
        query = part_of(task.query, piece, number=number, needed=())
        plan = _forecast(replace(task, query=query), parts)
        if plan is None or plan.cost_usd is None or plan.quality is None:
            return False
        cost_usd, quality = cost_usd + plan.cost_usd, min(quality, plan.quality)
    enough = cost_usd < SHARE * (whole.cost_usd or 0.0)
    return enough and quality >= (whole.quality or 0.0)


def _text(answer: Answer) -> str:
    return "" if answer.reply is None else answer.reply.text


def _with_asked(answer: Answer, split: Split) -> Answer:
    if not split.asked:
        return answer
    labelled = (*split.asked, *answer.evidence.labelled)
    return replace(answer, evidence=replace(answer.evidence, labelled=labelled))
