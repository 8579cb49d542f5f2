"""Hard checks of how an answer ended: nothing said, refused, cut off, caught in a loop."""

from __future__ import annotations

import re

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query
from emafusion.judge.refusals import opens_with_refusal
from emafusion.judge.verdict import ABSTAIN, Verdict, bad

SNIPPET_TOKENS = 32
_REFUSAL_CHARS = 700
_LOOP_CHARS = 1_600
_LOOP_MIN_CHARS = 160
_LOOP_TIMES = 4

_REPEATS = re.compile(
    r"\b(?:repeat(?:ed|edly)?|times|over and over|lines? of|pattern|wiederhol\w*|répét\w*)\b",
    re.IGNORECASE,
)


def not_empty(query: Query, reply: Reply) -> Verdict:
    """Bad: the reply holds neither text nor a tool call."""
    del query
    choice = reply.choices[0]
    if choice.refusal or choice.tool_calls or choice.text.strip():
        return ABSTAIN
    return bad("the reply is empty")


def not_refused(query: Query, reply: Reply) -> Verdict:
    """Bad: the provider marks a refusal or a filter, or a short text opens with one.

    Only an opening counts, and only in a text of at most 700 characters: a long answer that says
    sorry first still answers. Where tools are offered, to say that none fits is an answer too.
    """
    choice = reply.choices[0]
    if choice.refusal:
        return bad("the model refused")
    if choice.finish_reason == "content_filter":
        return bad("stopped by the provider's content filter")
    text = choice.text.strip()
    if query.tools or len(text) > _REFUSAL_CHARS or not opens_with_refusal(text):
        return ABSTAIN
    return bad("the text opens with a refusal")


def not_truncated(query: Query, reply: Reply) -> Verdict:
    """Bad: the answer ran into its token limit, unless the client wanted only a snippet."""
    limit = query.settings.max_tokens
    if reply.choices[0].finish_reason != "length" or (
        limit is not None and limit <= SNIPPET_TOKENS
    ):
        return ABSTAIN
    return bad("cut off at the token limit")


def not_looping(query: Query, reply: Reply) -> Verdict:
    """Bad: the end of the text is one passage of words at least four times over."""
    tail = reply.choices[0].text.rstrip()[-_LOOP_CHARS:]
    if tail.count(tail[-40:]) < _LOOP_TIMES - 1 or len(tail) < _LOOP_MIN_CHARS:
        return ABSTAIN  # the quick way out, for nearly every answer
    if _REPEATS.search(query.prompt[-4_000:]):
        return ABSTAIN
    unit = _repeated(tail)
    return bad(f"the text ends in a loop: {unit.strip()[:40]!r}") if unit else ABSTAIN


def _repeated(tail: str) -> str:
    """The passage that the tail repeats at its end; empty if there is none with words in it.

    Prefix function of the reversed text (Knuth-Morris-Pratt): a prefix of length n with border b
    has period n - b. Linear in the text.
    """
    text = tail[::-1]
    border = [0] * len(text)
    for n in range(1, len(text)):
        b = border[n - 1]
        while b and text[n] != text[b]:
            b = border[b - 1]
        border[n] = b + (text[n] == text[b])
    for n in range(len(text), _LOOP_MIN_CHARS - 1, -1):
        period = n - border[n - 1]
        if n >= _LOOP_TIMES * period:
            unit = text[:period][::-1]
            return unit if _has_words(unit) else ""
    return ""


def _has_words(unit: str) -> bool:
    """Whether a repeated passage is prose: rows of a table, zeros or dashes repeat by right."""
    letters = {c for c in unit.casefold() if c.isalpha()}
    return len(letters) >= 3 and "|" not in unit  # 'ha ha' is not a passage
