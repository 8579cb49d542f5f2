"""Finding the part of a reply that states its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

_MAX_TAGGED, _MAX_STATED = 2_000, 120
_TAG = re.compile(r"<answer>(.*?)</answer>", re.DOTALL | re.IGNORECASE)
_FIELD = re.compile(
    r'"(?:final[_ ]?)?(?:answer|result|output|label)"\s*:\s*'
    r'("(?:[^"\\]|\\.){0,2000}"|\[[^\n]{0,1000}\]|[^,}\n"\[]{1,200})',
    re.IGNORECASE,
)
_HASHES = re.compile(r"^#{4}[ \t]*(\S[^\n]*)$", re.MULTILINE)
_STATED = re.compile(
    r"(?:[Aa]nswer|ANSWER)\**[ \t]*(?:\b(?:is|IS)\b|[:=\uff1a])[ \t]*[:\uff1a]?[ \t]*(\S[^\n]*)"
)
_WORDS = ("résultat", "réponse", "antwort", "respuesta", "risposta", "resposta", "ответ", "答案")
_STATED_ELSEWHERE = re.compile(
    rf"(?:{'|'.join(_WORDS)})\**[ \t]*(?:\b(?:ist|est|es|è|é|is)\b|是|为|[:=\uff1a])"
    r"[ \t]*[:\uff1a]?[ \t]*(\S[^\n]*)",
    re.IGNORECASE,
)
_ESCAPES = {"\\n": "\n", '\\"': '"', "\\\\": "\\", "\\t": "\t"}


def marked_answer(tail: str) -> str | None:
    r"""The last marked answer in the end of a text, by the surest mark it has; None if unmarked.

    Marks, surest first: `<answer>` tags, `\boxed{}`, an `"answer"` field of JSON, `####`, and
    words such as `the answer is`.

    >>> marked_answer("thus \\boxed{\\frac{1}{2}}.")
    '\\frac{1}{2}'
    >>> marked_answer("I believe so. The answer is: 12 km.")
    '12 km.'
    """
    return _first(_FINDERS, tail)


def tagged_answer(tail: str) -> str | None:
    """The same by the sure marks alone: tags, a box or a JSON field."""
    return _first(_SURE_FINDERS, tail)


def _first(finders: Sequence[Callable[[str], str | None]], tail: str) -> str | None:
    found = (find(tail) for find in finders)
    return next((answer for answer in found if answer is not None), None)


# Most answers hold none of these marks, and a few characters are found sooner than a pattern.


def _tagged(tail: str) -> str | None:
    found = _TAG.findall(tail) if "</" in tail else []
    return _bounded(found[-1], _MAX_TAGGED) if found else None


def _boxed(tail: str) -> str | None:
    start = tail.rfind("\\boxed{")
    if start < 0:
        return None
    depth, begin = 1, start + len("\\boxed{")
    for i in range(begin, min(len(tail), begin + _MAX_TAGGED)):
        depth += (tail[i] == "{") - (tail[i] == "}")
        if depth == 0:
            return _bounded(tail[begin:i], _MAX_TAGGED)
    return None


def _field(tail: str) -> str | None:
    found = _FIELD.findall(tail) if '"' in tail else []
    if not found:
        return None
    value = str(found[-1]).strip()
    if value == '""':  # an empty text is an answer like any other
        return value
    if value.startswith('"'):
        value = re.sub(r"\\[n\"\\t]", lambda m: _ESCAPES[m.group()], value[1:-1])
    return _bounded(value, _MAX_TAGGED)


def _hashed(tail: str) -> str | None:
    found = _HASHES.findall(tail) if "####" in tail else []
    return _bounded(found[-1], _MAX_STATED) if found else None


def _stated(tail: str) -> str | None:
    found = _STATED.findall(tail) if "nswer" in tail or "NSWER" in tail else []
    if not found:
        folded = tail.casefold()
        found = _STATED_ELSEWHERE.findall(tail) if any(w in folded for w in _WORDS) else []
    return _bounded(found[-1], _MAX_STATED) if found else None


def _bounded(text: str, limit: int) -> str | None:
    kept = text.strip()
    return kept if 0 < len(kept) <= limit else None


_SURE_FINDERS = (_tagged, _boxed, _field)
_FINDERS = (*_SURE_FINDERS, _hashed, _stated)
