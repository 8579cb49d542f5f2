"""An exact specialist for arithmetic and dates: a program, not a language model.

It answers only what it understands to the last word and abstains from the rest: a question with
one unknown word, an ambiguous number or a precedence that people disagree about is not its task.
Pure, bounded in length and size, without evaluation of code.
"""

from __future__ import annotations

import re

from .arithmetic import evaluate
from .dates import answer_date
from .exact import NotUnderstood, Undefined
from .phrasing import core

_MAX_CHARACTERS = 300
# Arithmetic to a parser, something else to a person: a date with slashes or dashes.
_NO_ARITHMETIC = re.compile(r"\d+/\d+/\d+|\b\d{4}-\d{1,2}-\d{1,2}\b|\b\d{1,2}-\d{1,2}-\d{4}\b")

# "24/7", "9/11", "10-12" alone are names and ranges as often as sums.
_NAME_OR_RANGE = re.compile(r"\d+[/-]\d+")
_CUE = re.compile(r"=|calculate|compute|evaluate|work out")


def solve(text: str) -> str | None:
    """The exact answer to `text`, or None to abstain.

    >>> solve("What is 12 times 7?"), solve("17% of 340"), solve("Please add 3 and 5.")
    ('84', '57.8', '8')
    >>> (
    ...     solve("What weekday is 4 July 2026?"),
    ...     solve("How many days between 2024-02-01 and 2024-03-01?"),
    ... )
    ('Saturday', '29 days')
    >>> solve("What is 12 times the weight of a cat?") is None
    True
    """
    if len(text) > _MAX_CHARACTERS:
        return None
    question = core(text)
    if _NAME_OR_RANGE.fullmatch(question) and not _CUE.search(text.lower()):
        return None
    try:
        return _answered(question)
    except Undefined as undefined:
        return f"undefined ({undefined})"
    except NotUnderstood:
        return None


def _answered(question: str) -> str:
    try:
        return answer_date(question)
    except NotUnderstood:
        if not question or _NO_ARITHMETIC.search(question):
            raise
        return evaluate(question)
