"""What shape of answer a query asks for, read from the query alone."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from emafusion.domain.query import Query

Form = Literal["tools", "json", "choice", "number", "code", "text"]
"""The coarse shape of an answer; the panel keeps its weights by it."""

FORMS: tuple[Form, ...] = ("tools", "json", "choice", "number", "code", "text")

TAIL = 8_000
"""Characters at the end of a prompt that say what shape of answer it wants."""

_OPTION = re.compile(r"^[ \t]*[(\[]?([A-P])[.):\]][ \t]*(\S[^\n]{0,400})$", re.MULTILINE)
_CHOOSES = re.compile(r"\?|\b(?:answer|choose|select|correct|which|option|letter)\b", re.IGNORECASE)
_NUMBER = re.compile(
    r"\bhow (?:many|much)\b|\bwhat (?:is|are|was|will be) the (?:sum|product|total|number|average"
    r"|mean|median|area|volume|perimeter|probability|value|remainder|difference|result"
    r"|greatest common|least common)\b|\b(?:calculate|compute|evaluate|solve for|simplify)\b"
    r"|\bcombien\b|\bwie ?viele?\b|\bcu[aá]nt[oa]s?\b",
    re.IGNORECASE,
)
_CODE = re.compile(
    r"\b(?:write|implement|create|fix|generate|give me|refactor|rewrite)\b[^.\n]{0,80}"
    r"\b(?:function|program|script|code|class|method|query|regex|module)\b"
    r"|\bcomplete (?:the|this) (?:following )?(?:\w+ )?(?:function|code|program|class|method)\b",
    re.IGNORECASE,
)


def form_of(query: Query) -> Form:
    r"""The shape that the query asks for.

    >>> from emafusion.domain.query import ask
    >>> form_of(ask("How many legs has a spider?"))
    'number'
    >>> form_of(ask("Which?\nA. one\nB. two\nC. three"))
    'choice'
    """
    if query.tools and not query.answers_tool_call and query.settings.tool_choice != "none":
        return "tools"
    if query.format.kind != "text":
        return "json"
    prompt = query.prompt
    if options(prompt):
        return "choice"
    if asks_code(prompt):
        return "code"
    return "number" if asks_number(prompt) else "text"


def options(prompt: str) -> tuple[tuple[str, str], ...]:
    r"""Lettered options at the end of a prompt, at least three from A on; else empty.

    >>> options("Pick one.\nA) red\nB) green\nC) blue")
    (('A', 'red'), ('B', 'green'), ('C', 'blue'))
    """
    return _options(prompt[-TAIL:])


@lru_cache(maxsize=256)
def _options(tail: str) -> tuple[tuple[str, str], ...]:
    run: list[tuple[str, str]] = []
    for match in _OPTION.finditer(tail):
        letter, text = match.group(1), match.group(2).strip()
        if letter == "A":
            run = []
        if letter == chr(ord("A") + len(run)):
            run.append((letter, text))
    if len(run) < 3:  # fewer may be any list
        return ()
    ends = tail.rstrip().endswith(run[-1][1][-40:])  # nothing after the last option
    return tuple(run) if ends or _CHOOSES.search(tail) else ()


def asks_number(prompt: str) -> bool:
    """Whether the prompt asks for one number, in words that leave little doubt."""
    return _says_number(prompt[-TAIL:])


@lru_cache(maxsize=256)
def _says_number(tail: str) -> bool:
    return _NUMBER.search(tail) is not None


def asks_code(prompt: str) -> bool:
    """Whether the prompt asks for a program to be written."""
    return _says_code(prompt[-TAIL:]) or (len(prompt) > TAIL and _says_code(prompt[:TAIL]))


@lru_cache(maxsize=256)
def _says_code(part: str) -> bool:
    return _CODE.search(part) is not None
