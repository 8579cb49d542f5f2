"""Twenty hand-made numbers of a query, each in 0..1: what its words alone do not tell."""

from __future__ import annotations

import re
from math import log1p

import numpy as np

from emafusion.domain.features import Floats
from emafusion.domain.query import Query
from emafusion.encode.hashing import Words

COUNTS = (
    "words",  # log scale, 1 at 4,096
    "conversation",  # estimated tokens of the whole conversation, log scale, 1 at 65,536
    "code_fence",
    "code_marks",  # share of { } ( ) ; < > _
    "digits",  # share of characters
    "maths_marks",  # share of = + * / ^ $ \ % and minus
    "questions",  # question marks, 1 at 3
    "ends_asking",  # the text ends with a question mark
    "choices",  # lines such as "A) ...", 1 at 10
    "list_lines",  # lines such as "- ..." or "1. ...", 1 at 10
    "lines",  # log scale, 1 at 256
    "schema",  # JSON asked for by the request itself
    "tools",  # offered tools, log scale, 1 at 32
    "tool_turn",  # the last turn is a tool's result
    "turns",  # user turns before this one, log scale, 1 at 16
    "images",
    "system",  # length of the system text, log scale, 1 at 16,384 characters
    "beyond_ascii",  # share of characters
    "english",  # share of common English words, 1 at one half
    "capitals",  # share of characters
)
"""Names of the counts, in the order of `Features.counts`."""

# Not "^" in multi-line mode: that is tried at every character.
_LINE = re.compile(r"\n[ \t]*(?:(\(?[A-Ja-j][.):])|[-*\u2022]|\d{1,2}[.)])[ \t]")
_ENGLISH = frozenset(
    b"a an and are as at be by can do for from have how i if in is it me my not of on or that the "
    b"there this to was we what which who will with you your".split()
)
_DIGITS, _CODE, _MATHS = b"0123456789", b"{}();<>_", b"=+*/^$\\%-"
_CAPITALS = bytes(range(65, 91))
_WORDS, _LINES, _TOKENS = log1p(4096), log1p(256), log1p(65_536)
_TOOLS, _TURNS, _SYSTEM = log1p(32), log1p(16), log1p(16_384)


def count_features(query: Query, text: str, words: Words, *, tokens: int) -> Floats:
    """Count; `text` is the (clipped) text of the last user turn, `words` its words.

    Returns float64[20], each in 0..1, in the order of `COUNTS`.
    """
    values = _of_text(text, words) + _of_request(query, tokens)
    return np.array([values[place] for place in _ORDER], np.float64)


def _of_text(text: str, words: Words) -> list[float]:
    """What the text itself shows."""
    data = text.encode("utf-8", "replace")
    size = max(len(data), 1)
    marked = _LINE.findall(f"\n{text}")
    choices = sum(1 for mark in marked if mark)
    return [
        _log(len(words), _WORDS),
        float("```" in text),
        _share(data, _CODE, size),
        _share(data, _DIGITS, size),
        _share(data, _MATHS, size),
        min(data.count(b"?") / 3, 1.0),
        float(data.rstrip().endswith(b"?")),
        min(choices / 10, 1.0),
        min((len(marked) - choices) / 10, 1.0),
        _log(data.count(b"\n"), _LINES),
        0.0 if text.isascii() else 1 - len(text.encode("ascii", "ignore")) / max(len(text), 1),
        min(2 * sum(map(_ENGLISH.__contains__, words)) / max(len(words), 1), 1.0),
        _share(data, _CAPITALS, size),
    ]


def _of_request(query: Query, tokens: int) -> list[float]:
    """What the request around the text shows."""
    turns = system = 0
    for message in query.messages:
        if message.role == "user":
            turns += 1
        elif message.role in ("system", "developer"):
            system += len(message.text)
    return [
        _log(tokens, _TOKENS),
        float(query.format.kind != "text"),
        _log(len(query.tools), _TOOLS),
        float(query.answers_tool_call),
        _log(max(turns - 1, 0), _TURNS),
        float(query.has_images),
        _log(system, _SYSTEM),
    ]


_TEXT_NAMES = (
    "words", "code_fence", "code_marks", "digits", "maths_marks", "questions", "ends_asking",
    "choices", "list_lines", "lines", "beyond_ascii", "english", "capitals",
)  # fmt: skip
_REQUEST_NAMES = ("conversation", "schema", "tools", "tool_turn", "turns", "images", "system")
_ORDER = tuple((_TEXT_NAMES + _REQUEST_NAMES).index(name) for name in COUNTS)


def _share(data: bytes, kind: bytes, size: int) -> float:
    """Share of the bytes that are of a kind."""
    return 1 - len(data.translate(None, kind)) / size if data else 0.0


def _log(count: int, scale: float) -> float:
    """Log scale: 0 at 0, 1 at that count of which `scale` was made and beyond."""
    return min(log1p(count) / scale, 1.0)
