"""Which answers of a log people are asked about, and all that it takes to look at one."""

from __future__ import annotations

from random import Random

import msgspec
from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.store.feedback.choose import chances, draw
from emafusion.store.filter import Filter
from emafusion.store.reading import Reader
from emafusion.store.record import AttemptRecord, Record

NO_TEXTS = "keeps no texts, so nobody can say whether an answer is right; set log.prompts: full"


class Drawn(Struct, frozen=True):
    """An answer that was drawn, and the chance with which it was, 0..1."""

    decision_id: str
    chance: float


class Turn(Struct, frozen=True):
    """What was said in a conversation before the question: by whom (`user`, `tool`, ...)."""

    role: str
    text: str


class Question(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An answer to be looked at. `before`: the conversation that led to `prompt`.

    `model`: None where several made it; `confidence`: of the judges, 0..1; `propensity`: the
    chance with which it was drawn; `reason`: why it was given, in the policy's words.
    """

    decision_id: str
    prompt: str
    answer: str
    model: str | None
    confidence: float | None
    propensity: float
    before: tuple[Turn, ...] = ()
    route: str = ""
    reason: str = ""


def choose(
    reader: Reader, among: Filter, wanted: int, *, evenly: bool, chance: Random
) -> list[Drawn]:
    """Draw so many answers that nobody has looked at yet, newest first.

    `among`: says what they lack; `evenly`: all with the same chance. Raises `BadInput` where the
    log keeps no texts.
    """
    found = [
        (row.decision_id, row.confidence, row.opening is not None) for row in reader.rows(among)
    ]
    known = [(name, confidence) for name, confidence, has_text in found if has_text]
    if found and not known:
        raise BadInput(NO_TEXTS, where=str(reader.path))
    each = chances([None if evenly else confidence for _, confidence in known], wanted)
    return [Drawn(known[place][0], each[place]) for place in draw(each, chance)]


def question_of(record: Record, chance: float) -> Question:
    """What is to be looked at of a logged request."""
    row, detail = record.row, record.detail
    return Question(
        decision_id=row.decision_id,
        prompt=detail.prompt or "",
        answer=_answer(record),
        model=row.candidate,
        confidence=row.confidence,
        propensity=chance,
        before=_before(detail.messages, detail.prompt or ""),
        route=row.route,
        reason=detail.plans[-1].reason if detail.plans else "",
    )


def _answer(record: Record) -> str:
    """What the client got: text, a refusal, tool calls."""
    number = record.detail.answer_attempt
    return (record.detail.answer or "") if number is None else given(record.detail.attempts[number])


def given(attempt: AttemptRecord) -> str:
    """The text that came of a call, and the tools it calls.

    >>> from emafusion.store.record import ToolCallRecord
    >>> call = ToolCallRecord(name="weather", arguments='{"town": "Oslo"}')
    >>> given(AttemptRecord(candidate="small", tool_calls=(call,)))
    '-> weather({"town": "Oslo"})'
    """
    calls = [f"-> {call.name}({call.arguments})" for call in attempt.tool_calls]
    said = [attempt.response, attempt.refusal, attempt.failure_message]
    return "\n".join([*(text for text in said if text), *calls])


class _Function(Struct):
    name: str = ""
    arguments: str = ""


class _Call(Struct):
    function: _Function


class _Part(Struct):
    type: str = ""
    text: str = ""


class _Message(Struct):
    """A message as the log keeps it."""

    role: str
    content: str | list[_Part] | None = None
    tool_calls: list[_Call] = []

    def turn(self) -> Turn:
        content = self.content or ""
        if isinstance(content, list):
            content = "\n".join(part.text or f"[{part.type}]" for part in content)
        calls = [f"-> {c.function.name}({c.function.arguments})" for c in self.tool_calls]
        return Turn(self.role, "\n".join(filter(None, (content, *calls))))


def _before(messages: str | None, prompt: str) -> tuple[Turn, ...]:
    """The conversation but for the prompt itself, which is shown by itself."""
    if messages is None:
        return ()
    turns = [each.turn() for each in msgspec.json.decode(messages, type=list[_Message])]
    last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=-1)
    if last >= 0 and turns[last].text == prompt:
        # What follows it (a tool's results) belongs to the question as well: then all is told.
        return tuple(turns[:last] if last == len(turns) - 1 else turns)
    return tuple(turns)
