"""A short errand for a language model: what it is sent, and how a reply in JSON is read."""

from __future__ import annotations

import re
from typing import TypeVar

import msgspec

from emafusion.domain.attempt import Choice
from emafusion.domain.model import Candidate
from emafusion.domain.query import Message, Query, Settings, TextPart

T = TypeVar("T")
Words = tuple[str, str]
"""What stands in the system message and in the user's."""

_FENCED = re.compile(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


def brief(query_id: str, words: Words, *, reader: Candidate, room: tuple[int, int]) -> Query:
    """One errand at temperature 0; a model that thinks first gets room for it, and little effort.

    `room`: tokens of the reply at most, for a model that answers at once and for one that thinks.
    Equal words make equal queries, so that a provider's cache may serve them too.
    """
    system, user = words
    thinks = "reasoning" in reader.model.abilities
    return Query(
        query_id=query_id,
        messages=(
            Message(role="system", parts=(TextPart(text=system),)),
            Message(role="user", parts=(TextPart(text=user),)),
        ),
        settings=Settings(
            max_tokens=room[1] if thinks else room[0],
            temperature=None if thinks else 0.0,
            reasoning_effort="low" if thinks else None,
        ),
    )


def object_of(choice: Choice, kind: type[T], *, longest: int) -> T | None:
    """What a reply says; None unless it is exactly one JSON object of this kind, fenced or not.

    `longest`: characters of a reply that is read.

    >>> object_of(Choice(text='{"a": 1}'), dict[str, int], longest=20)
    {'a': 1}
    >>> object_of(Choice(text='Sure! {"a": 1}'), dict[str, int], longest=20) is None
    True
    """
    text = choice.text.strip()
    if len(text) > longest or choice.tool_calls or choice.refusal:
        return None
    fenced = _FENCED.fullmatch(text)
    try:
        return msgspec.json.decode(fenced.group(1) if fenced else text, type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
