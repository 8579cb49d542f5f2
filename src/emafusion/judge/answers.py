"""The short answer inside a reply, in one canonical form, so that equal answers are equal text."""

from __future__ import annotations

import re
from functools import lru_cache

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query, ToolCall
from emafusion.judge.asked import TAIL, Form, asks_number, form_of, options
from emafusion.judge.extract import marked_answer, tagged_answer
from emafusion.judge.normal import canonical_json, json_key, normal_key, number_in
from emafusion.judge.reading import read_json

NO_CALL = "tools:none"
_TAIL = 4_000
_SHORT = 80
_MAX_JSON = 100_000
_LETTER = r"([B-HJ-P]|[AI](?!\s+[a-z]))(?![\w'])"  # "a cat" and "I think" choose nothing
_DRESS = r"[\s*:$(\[{\\]*(?:boxed\{|text\w*\{)*\(?"
_LETTER_MARKS = (
    re.compile(rf"(?i:answer)(?:\s+is|\s*[:=])?{_DRESS}{_LETTER}"),
    re.compile(rf"\\boxed\{{\s*(?:\\text\{{)?\s*\(?{_LETTER}\)?\s*\}}"),
    re.compile(r"^[\s*(\[]*([A-P])[)\].:*\s]*$", re.MULTILINE),
    re.compile(rf"(?i:option|choice)(?:\s+is|\s*[:=])?{_DRESS}{_LETTER}"),
    re.compile(r"^[\s*(\[]*([A-P])[).:\]]\s", re.MULTILINE),
    re.compile(r"\(([A-P])\)"),
)
"""Ways to name an option, the surest first; of one way the last mention counts."""


def short_answer(query: Query, reply: Reply) -> str | None:
    r"""Canonical short answer of the first choice, or None where there is none (prose, code).

    `tools:...` calls in one order with canonical arguments; `json:...` without its reasoning
    fields; `choice:B`; `number:16` (six digits); `text:...` normalised. Two replies to one query
    answer the same if their keys are equal, or nearly equal numbers: see `grouping.group`.

    >>> from emafusion.domain.attempt import Choice
    >>> from emafusion.domain.query import ask
    >>> reply = Reply(
    ...     choices=(Choice(text="So it takes **16 hours**.\n\nAnswer: $16.0$"),), model="m"
    ... )
    >>> short_answer(ask("How many hours?"), reply)
    'number:16'
    """
    choice = reply.choices[0]
    if choice.tool_calls:
        return tools_key(choice.tool_calls)
    if choice.refusal or not choice.text.strip():
        return None
    form = form_of(query)
    if form == "tools":
        return NO_CALL
    return _read(form, query.prompt[-TAIL:], choice.text)


@lru_cache(maxsize=32)  # the grouper, the judges and the panel ask the same within one step
def _read(form: Form, prompt: str, text: str) -> str | None:
    """The short answer of a text to the end of a prompt that asks for an answer of this form."""
    if form == "json":
        return _json_answer(text)
    if form == "choice":
        return _choice_answer(prompt, text)
    return None if form == "code" else _text_answer(prompt, text)


def tools_key(calls: tuple[ToolCall, ...]) -> str:
    """One text for a set of tool calls, whatever their order, spacing and ids."""
    keys = sorted(f"{call.name}({_arguments(call.arguments)})" for call in calls)
    return "tools:" + ";".join(keys)


def _choice_answer(prompt: str, text: str) -> str | None:
    """The letter; else what the text marks as its answer: lettered lines may be no options."""
    letter = letter_in(prompt, text)
    if letter is not None:
        return f"choice:{letter}"
    tagged = tagged_answer(text[-_TAIL:])
    return None if tagged is None else normal_key(tagged)


def letter_in(prompt: str, text: str) -> str | None:
    r"""The option that a reply chooses: by letter, else by the option's own words; None if unread.

    >>> letter_in("Pick.\nA. red\nB. green\nC. blue?", "It is grass, so **green**")
    'B'
    """
    offered, tail = dict(options(prompt)), text[-_TAIL:]
    for mark in _LETTER_MARKS:
        found: list[str] = [m.group(1) for m in mark.finditer(tail) if m.group(1) in offered]
        if found:
            return found[-1]
    key = normal_key(_last_words(tail))
    chosen = [letter for letter, words in offered.items() if normal_key(words) == key]
    return chosen[0] if len(chosen) == 1 else _option_named(offered, tail)


def _option_named(offered: dict[str, str], tail: str) -> str | None:
    """The one option whose words the last line holds, if it holds the words of one alone."""
    line = tail.strip().rsplit("\n", 1)[-1].casefold()
    named = [
        k for k, words in offered.items() if len(words) > 2 and words.casefold().rstrip(".") in line
    ]  # '1' is in everything
    return named[0] if len(named) == 1 else None


def _last_words(tail: str) -> str:
    marked = marked_answer(tail)
    return tail.strip().rsplit("\n", 1)[-1] if marked is None else marked


def _text_answer(prompt: str, text: str) -> str | None:
    marked = marked_answer(text[-_TAIL:])
    if marked is not None:
        return normal_key(marked)
    whole = text.strip()
    if len(whole) <= _SHORT and "\n" not in whole:
        return normal_key(whole)
    if asks_number(prompt):
        return _number_answer(whole[-_TAIL:].rsplit("\n", 1)[-1])
    return None


def _number_answer(line: str) -> str | None:
    number = number_in(line)
    return None if number is None else f"number:{number}"


def _json_answer(text: str) -> str | None:
    parsed = read_json(text) if len(text) <= _MAX_JSON else None
    return None if parsed is None else json_key(parsed.value)


def _arguments(arguments: str) -> str:
    parsed = read_json(arguments or "{}") if len(arguments) <= _MAX_JSON else None
    if parsed is None:
        return arguments[:_MAX_JSON]
    return canonical_json(parsed.value)
