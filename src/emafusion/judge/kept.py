"""Hard checks of what was asked in words: how long, as what, in which unit.

Each speaks only where the wish is plain and stands once: two wishes may be about two things.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query
from emafusion.judge.extract import tagged_answer
from emafusion.judge.reading import fences, read_json
from emafusion.judge.verdict import ABSTAIN, Verdict, bad, ok

TAIL = 2_000
"""Characters at the end of a prompt in which a wish is looked for."""
REACH = 200
"""Characters before a length within which its sentence begins."""
SLACK = 1.1
"""Words beyond a limit, as a factor, that nobody counts."""
FEW = 12
"""Up to so many words are counted to the word."""

_NUMBERS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9, "ten": 10, "a single": 1,
}  # fmt: skip
_COUNT = r"(?P<n>\d{1,5}|" + "|".join(_NUMBERS) + ")"
_WHAT = r"(?P<what>words?|sentences?|characters|bullet points?|bullets|lines?|paragraphs?)"
_MOST = (
    r"(?:at most|no more than|not more than|fewer than|less than|under|up to|within"
    r"|maximum(?: of)?|max\.?)"
)
_WISHES = (
    ("most", re.compile(rf"\b{_MOST} {_COUNT} {_WHAT}\b", re.IGNORECASE)),
    ("most", re.compile(rf"\b{_COUNT} {_WHAT} (?:or (?:less|fewer)|max\b)", re.IGNORECASE)),
    ("least", re.compile(rf"\b(?:at least|minimum(?: of)?) {_COUNT} {_WHAT}\b", re.IGNORECASE)),
    ("exact", re.compile(rf"\b(?:exactly|in|with|using|as) {_COUNT} {_WHAT}\b", re.IGNORECASE)),
    ("exact", re.compile(r"\b(?P<n>one|single)[- ](?P<what>word) answer\b", re.IGNORECASE)),
)  # fmt: skip
_ASKS = re.compile(
    r"\b(?:answer|reply|respond|write|summari[sz]e|describe|explain|give|list|state|keep|limit|use"
    r"|compose|translate|sum|rewrite|define|provide|produce|generate|create|make|tell|say|please|you)\b",
    re.IGNORECASE,
)
"""Somebody is told to do something: in "the essay has 300 words" nobody is."""
_ABOUT = re.compile(r"\b(?:about|around|approximately|roughly|between|than|of)\s*$", re.IGNORECASE)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+\S", re.MULTILINE)
_SENTENCE = re.compile(r"[.!?]+(?=\s|$)")
_YES_NO = re.compile(
    r"\b(?:answer|reply|respond)(?: only)?(?: with)?(?: only| just| either)?"
    r" ['\"]?yes['\"]? or ['\"]?no\b",
    re.IGNORECASE,
)
_SAYS_YES_NO = re.compile(r"\b(?:yes|no)\b", re.IGNORECASE)
_ONLY_JSON = re.compile(
    r"\b(?:return|respond|reply|answer|output)\b[^.\n]{0,40}\b(?:only|valid|as|in|with)\b[^.\n]{0,20}\bjson\b",
    re.IGNORECASE,
)


class Wish(Struct, frozen=True, kw_only=True):
    """How long an answer is to be. `kind`: `most`, `least` or `exact`; `what`: words, ..."""

    kind: str
    count: int
    what: str


def length_kept(query: Query, reply: Reply) -> Verdict:
    """Bad: the prompt asks for so many words, sentences or bullets, and the answer has others.

    A tenth more or less is let pass from a dozen words on; sentences and paragraphs have one of
    slack. Abstains where nothing is asked, or two lengths are.
    """
    text = reply.choices[0].text.strip()
    wish = length_asked(query.prompt)
    if wish is None or not text or reply.tool_calls:
        return ABSTAIN
    found = _counted(text, wish.what)
    few = wish.what == "word" and wish.count <= FEW
    slack = 1.0 if few or wish.what == "bullet" else SLACK
    spare = 1 if wish.what in {"sentence", "paragraph", "line"} else 0
    over = found > wish.count * slack + spare
    short = found < wish.count / slack - spare
    fault = (wish.kind != "least" and over) or (wish.kind != "most" and short)
    told = f"{found} {wish.what}s, asked for {wish.kind} {wish.count}"
    return bad(told) if fault else ok(told)


def form_kept(query: Query, reply: Reply) -> Verdict:
    """Bad: yes or no was asked for and neither is there, or JSON in words and there is none."""
    text, asked = reply.choices[0].text.strip(), form_asked(query.prompt)
    if not asked or not text or reply.tool_calls or query.format.kind != "text":
        return ABSTAIN
    if asked == "json":
        return ok("holds JSON") if _holds_json(text) else bad("JSON was asked for, there is none")
    if _SAYS_YES_NO.search(text):
        return ok("says yes or no")
    return bad("yes or no was asked for, neither is said")


def form_asked(prompt: str) -> Literal["yes or no", "json", ""]:
    """What the end of a prompt asks for in words.

    >>> form_asked("Is it so? Answer yes or no.")
    'yes or no'
    """
    return _form_asked(prompt[-TAIL:])


@lru_cache(maxsize=256)
def _form_asked(prompt: str) -> Literal["yes or no", "json", ""]:
    if _YES_NO.search(prompt):
        return "yes or no"
    return "json" if _ONLY_JSON.search(prompt) else ""


def length_asked(prompt: str) -> Wish | None:
    """The length that the end of a prompt asks for; None for none, or more than one.

    >>> length_asked("Sum it up in at most 50 words.")
    Wish(kind='most', count=50, what='word')
    >>> length_asked("Describe the book of 300 pages.") is None
    True
    """
    return _length_asked(prompt[-TAIL:])


@lru_cache(maxsize=256)
def _length_asked(prompt: str) -> Wish | None:
    found: dict[int, Wish] = {}
    for kind, pattern in _WISHES:
        for match in pattern.finditer(prompt):
            before = prompt[max(0, match.start() - REACH) : match.start()]
            sentence = re.split(r"[.!?\n]", before)[-1]
            if _ABOUT.search(before) or not _ASKS.search(sentence + match.group()):
                continue
            count, what = _number(match["n"]), match["what"].lower()
            unit = "bullet" if what.startswith("bullet") else what.removesuffix("s")
            found.setdefault(match.end("what"), Wish(kind=kind, count=count, what=unit))
    return next(iter(found.values())) if len(found) == 1 else None


def _number(digits: str) -> int:
    word = digits.lower()
    return int(word) if word.isdigit() else _NUMBERS.get(word, 1)


def _counted(text: str, what: str) -> int:
    if what == "word":
        return len(text.split())
    if what == "character":
        return len(text)
    if what == "bullet":
        return len(_BULLET.findall(text))
    if what == "sentence":
        return max(len(_SENTENCE.findall(text)), 1)
    blocks = text.split("\n\n") if what == "paragraph" else text.splitlines()
    return sum(bool(block.strip()) for block in blocks)


def _holds_json(text: str) -> bool:
    """Whether any part that is set off as the answer is JSON."""
    tail = text[-100_000:]
    parts = [tail, *[fence.body for fence in fences(tail)], tail.rsplit("\n", 1)[-1]]
    tagged = tagged_answer(tail)
    parts += [] if tagged is None else [tagged]
    for opening, closing in ("[]", "{}"):
        start, end = tail.find(opening), tail.rfind(closing)
        parts += [tail[start : end + 1]] if 0 <= start < end else []
    return any(read_json(part.strip()) is not None for part in parts)
