"""The rule splitter: numbered questions, questions in paragraphs of their own, "and then".

It splits only what leaves no doubt. What shares a form, a length or a sum with its neighbours, or
speaks of them, is one task.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from emafusion.domain.command import Flow
from emafusion.domain.piece import MOST, Piece, Split
from emafusion.domain.query import Query

LONGEST = 20_000
"""Characters of a prompt that are looked at; a longer one stays whole."""

FEWEST_WORDS = 3

_ITEM = re.compile(r"^[ \t]{0,3}(\d{1,2})([.)])[ \t]+(?=\S)", re.MULTILINE)
_GAP = re.compile(r"\n[ \t]*\n+")
_THEN = re.compile(r",?[ \t]+and then[ \t]+|[.;][ \t]+then,?[ \t]+", re.IGNORECASE)
_REFERS = re.compile(
    r"\b(?:above|previous|preceding|former|latter|same|both|these|those|it|its|they|them|their"
    r"|that answer|this answer|the answer|the result|earlier|(?:question|part|task|item|number)"
    r" \d+|again|also|others?|rest)\b",
    re.IGNORECASE,
)
_SHARED = re.compile(
    r"\b(?:json|yaml|xml|csv|tables?|lists?|essay|paragraph|story|poem|article|letter|email|together|compar\w+"
    r"|combin\w+|overall|total|in order|rank\w*|sort\w*|steps?|rules?|requirements?|constraints?"
    r"|guidelines?|instructions?|criteria|conditions|options?|facts?|premises|statements?"
    r"|choose|which of|one of|at most|at least|exactly|no more than|words?|sentences?|lines?)\b",
    re.IGNORECASE,
)
_DOES = re.compile(
    r"(?:please\s+)?(?:what|who|whom|whose|when|where|why|how|which|is|are|was|were|do|does|did"
    r"|can|could|name|define|explain|describe|translate|summari[sz]e|calculate|compute|find|solve"
    r"|write|give|state|convert|simplify|evaluate|estimate|prove|show|classify|correct|rewrite"
    r"|implement|tell|suggest|outline|identify|determine)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class RuleSplitter:
    """Splits by form alone; implements `Splitter`. Asks nobody."""

    cost_usd: float | None = 0.0

    def split(self, query: Query, /) -> Flow[Split]:
        """Split a query of several tasks; no parts where it is one, or that is in doubt."""
        yield from ()
        return Split(pieces=pieces_in(query.prompt))


def pieces_in(prompt: str) -> tuple[Piece, ...]:
    r"""The tasks of a prompt; empty where it is one, or that is in doubt.

    >>> [p.text for p in pieces_in("1. What is a fjord?\n2. Who wrote Peer Gynt?")]
    ['What is a fjord?', 'Who wrote Peer Gynt?']
    >>> pieces_in("1. Add the flour.\n2. Stir it.")
    ()
    """
    text = prompt.strip()
    if not text or len(text) > LONGEST or "```" in text:
        return ()
    found = _numbered(text) or _apart(text) or _one_after_another(text)
    return found if Split(pieces=found).holds else ()


def _numbered(text: str) -> tuple[Piece, ...]:
    """Questions numbered from 1, after a few words that belong to all of them."""
    marks = list(_ITEM.finditer(text))
    if [int(mark.group(1)) for mark in marks] != list(range(1, len(marks) + 1)):
        return ()
    if not 2 <= len(marks) <= MOST:
        return ()
    before = text[: marks[0].start()].strip()
    ends = [mark.start() for mark in marks[1:]] + [len(text)]
    items = [text[mark.end() : end].strip() for mark, end in zip(marks, ends, strict=True)]
    if _SHARED.search(before) or _GAP.search(items[-1]) or not all(map(_is_task, items)):
        return ()
    names = [f"{mark.group(1)}{mark.group(2)}" for mark in marks]
    return tuple(
        Piece(text=f"{before}\n\n{item}" if before else item, mark=name)
        for name, item in zip(names, items, strict=True)
    )


def _apart(text: str) -> tuple[Piece, ...]:
    """Questions that stand in paragraphs of their own, and nothing else."""
    items = [part.strip() for part in _GAP.split(text)]
    if not 2 <= len(items) <= MOST:
        return ()
    alone = all("\n" not in item and item.endswith("?") and _is_task(item) for item in items)
    return tuple(Piece(text=item) for item in items) if alone else ()


def _one_after_another(text: str) -> tuple[Piece, ...]:
    """Two tasks of which the second works on what came of the first."""
    parts = _THEN.split(text)
    if len(parts) != 2 or "\n" in text or _SHARED.search(text):
        return ()
    first, second = parts[0].strip(), parts[1].strip()
    if not all(_DOES.match(each) and len(each.split()) >= FEWEST_WORDS for each in (first, second)):
        return ()
    return Piece(text=first), Piece(text=second[0].upper() + second[1:], needs=(0,))


def _is_task(item: str) -> bool:
    """Whether it asks for something of its own."""
    asks = _DOES.match(item) is not None and len(item.split()) >= FEWEST_WORDS
    return asks and not _REFERS.search(item) and not _SHARED.search(item)
