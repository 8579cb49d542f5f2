"""One spelling for equal short answers: numbers, words, JSON."""

from __future__ import annotations

import math
import re

import msgspec

from emafusion.judge.reading import Json

_NUMBER = re.compile(r"[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d{1,3})?")
_FRACTION = re.compile(
    r"^([-+]?)\\[dt]?frac\{(\d{1,12})\}\{(\d{1,12})\}$|^([-+]?)(\d{1,12})/(\d{1,12})$"
)
_ONLY_NUMBER = re.compile(
    r"^[^\w\-+.]{0,3}(?:usd|eur|gbp|rs\.?|about|approximately|approx\.?)?[ $€£~≈]{0,3}"
    r"([-+]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?(?:[eE][-+]?\d{1,3})?)"
    r"[ ]{0,2}(?:%|°|°?[cfk]\b|[^\W\d_]+(?:[ /^.·-]{1,2}[^\W\d_]+\d?){0,3}\d?)?[.!]?$",
    re.IGNORECASE,
)
_WRAPPERS = re.compile(r"\\(?:text|mathrm|mathbf|textbf|mathit)\{([^{}]*)\}")
_ARTICLE = re.compile(r"^(?:the|a|an) ")
_SPACE = re.compile(r"\s+")
_LITERAL = re.compile(r"^[\[({'\"]")
_REASONING = frozenset(
    (
        "reasoning",
        "explanation",
        "rationale",
        "thought",
        "thoughts",
        "analysis",
        "steps",
        "confidence",
        "comment",
        "comments",
        "notes",
    )
)
_ANSWERS = ("answer", "final_answer", "result", "label", "output")


def normal_key(text: str) -> str | None:
    r"""Key of a short answer: `number:...` where it is one number, unit or not, else `text:...`.

    >>> normal_key("**$30,000.00**"), normal_key("\\frac{1}{2}"), normal_key("The Calvin  cycle.")
    ('number:30000', 'number:0.5', 'text:calvin cycle')
    >>> normal_key("['a', \"B\"]")
    "text:['a','B']"
    """
    bare = _bare(text)
    if not bare:
        return None
    number = _as_number(bare)
    if number is not None:
        return f"number:{number}"
    if _LITERAL.match(bare):  # a value in code: case counts, spaces and kind of quote do not
        return "text:" + _SPACE.sub("", bare.replace('"', "'"))
    return "text:" + _ARTICLE.sub("", _SPACE.sub(" ", bare).casefold())


def number_in(text: str) -> str | None:
    """The last number in a text, as written in a key; None if there is none."""
    found = _NUMBER.findall(text)
    return _spell(found[-1]) if found else None


def json_key(value: Json) -> str | None:
    """Key of a JSON answer: its answer field if it has one, else all of it but its reasoning."""
    if isinstance(value, dict):
        stated = next((value[name] for name in _ANSWERS if name in value), None)
        if isinstance(stated, str | int | float):
            return normal_key(str(stated))
        value = {k: v for k, v in value.items() if k.casefold() not in _REASONING}
    try:
        return f"json:{canonical_json(_plain(value))}"
    except RecursionError:
        return None


def canonical_json(value: Json) -> str:
    """JSON text of a decoded value with sorted keys.

    >>> canonical_json({"b": 1, "a": None})
    '{"a":null,"b":1}'
    """
    return str(msgspec.json.encode(value, order="deterministic"), "utf-8")


def _plain(value: Json) -> Json:
    """The same JSON with 2.0 as 2 and texts stripped and in lower case."""
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return _SPACE.sub(" ", value).strip().casefold() if isinstance(value, str) else value


def _bare(text: str) -> str:
    """The text without Markdown and LaTeX dress and without punctuation at its ends."""
    bare = _WRAPPERS.sub(
        r"\1", text.strip().replace("\\$", "$").replace("\\%", "%").replace("\\,", "")
    )
    bare = bare.replace("**", "").replace("`", "").replace("\\(", "").replace("\\)", "")
    bare = bare.strip(" \t\n\r*_$;:,")
    return bare[:-1].rstrip() if bare.endswith((".", "!")) and not bare.endswith("..") else bare


def _as_number(bare: str) -> str | None:
    fraction = _FRACTION.match(bare.replace(" ", ""))
    if fraction:
        sign, above, below = (g for g in fraction.groups() if g is not None)
        return _spell(f"{sign}{float(above) / float(below)!r}") if float(below) else None
    only = _ONLY_NUMBER.match(bare) if len(bare) <= 60 else None  # a number and a unit
    return _spell(only.group(1)) if only else None


def _spell(digits: str) -> str | None:
    """Twelve significant digits, without a trailing zero or a sign of zero."""
    try:
        value = float(digits.replace(",", ""))
    except ValueError:
        return None
    return f"{value + 0.0:.12g}" if math.isfinite(value) else None
