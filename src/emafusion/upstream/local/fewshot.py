"""Worked examples before a question, by its rough kind: a fixed set, written once, not tuned."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .generation import Message

_SENTIMENT = (
    (
        "Is this review positive or negative? 'The soup was cold and the waiter was rude.'",
        "negative",
    ),
    ("Is this review positive or negative? 'A lovely film, I would watch it again.'", "positive"),
    ("Is the mood of this message positive or negative? 'The parcel came broken.'", "negative"),
    (
        "Is the mood of this message positive or negative? 'Thank you, it fits perfectly!'",
        "positive",
    ),
)
_YES_NO = (
    ("Is ice colder than steam? Answer yes or no.", "yes"),
    ("Is a whale a kind of fish? Answer yes or no.", "no"),
    ("Can a triangle have four sides? Answer yes or no.", "no"),
    ("Is Monday before Tuesday? Answer yes or no.", "yes"),
)
_GENERAL = (
    ("Which metal is liquid at room temperature?", "mercury"),
    ("Write the word 'stone' in capital letters.", "STONE"),
    ("Who wrote Hamlet?", "William Shakespeare"),
)

_FEELING = re.compile(r"\b(positive|negative|sentiment|mood|tone|feeling)\b", re.IGNORECASE)
_VERDICT = re.compile(
    r"\byes\b.{1,8}\bno\b|\btrue\b.{1,8}\bfalse\b|^\s*(is|are|was|were|can|could|do|does|did|has|have)\b",
    re.IGNORECASE,
)


def with_examples(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation with examples of the last question's kind before its first turn."""
    question = next(
        (message.content for message in reversed(messages) if message.role == "user"), ""
    )
    head = [message for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    return (*head, *_as_turns(_examples_for(question)), *turns)


def _examples_for(question: str) -> Sequence[tuple[str, str]]:
    if _FEELING.search(question):
        return _SENTIMENT
    if _VERDICT.search(question):
        return _YES_NO
    return _GENERAL


def _as_turns(examples: Sequence[tuple[str, str]]) -> list[Message]:
    turns: list[Message] = []
    for asked, answered in examples:
        turns += [Message(role="user", content=asked), Message(role="assistant", content=answered)]
    return turns
