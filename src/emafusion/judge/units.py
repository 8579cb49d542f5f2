"""Hard check: a quantity was asked for in one unit, and is given in another or in none."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from emafusion.domain.attempt import Reply
from emafusion.domain.query import Query
from emafusion.judge.verdict import ABSTAIN, Verdict, bad

TAIL = 2_000
"""Characters at the end of a prompt, and of an answer, in which units are looked for."""

UNITS: dict[str, tuple[tuple[str, str], ...]] = {
    "length": (
        ("kilometres", r"kilomet(?:er|re)s?|kms?"), ("metres", r"met(?:er|re)s?|m"),
        ("centimetres", r"centimet(?:er|re)s?|cms?"), ("millimetres", r"millimet(?:er|re)s?|mms?"),
        ("miles", r"miles?"), ("feet", r"feet|foot|ft"), ("inches", r"inch(?:es)?"),
        ("yards", r"yards?|yds?"),
    ),
    "mass": (
        ("kilograms", r"kilogram(?:me)?s?|kilos?|kgs?"), ("grams", r"gram(?:me)?s?|g"),
        ("milligrams", r"milligram(?:me)?s?|mgs?"), ("pounds", r"pounds?|lbs?"),
        ("ounces", r"ounces?|oz"), ("tonnes", r"tonnes?|metric tons?"),
    ),
    "temperature": (
        ("Celsius", r"(?:degrees? |°\s?)?celsius|°\s?c|centigrade"),
        ("Fahrenheit", r"(?:degrees? |°\s?)?fahrenheit|°\s?f"), ("kelvin", r"kelvins?|k"),
    ),
    "speed": (
        ("km/h", r"km/hr?|kmh|kph|kilomet(?:er|re)s? (?:per|an) hour"),
        ("mph", r"mph|miles? (?:per|an) hour|mi/hr?"),
        ("m/s", r"m/s|met(?:er|re)s? (?:per|a) second"),
    ),
    "time": (
        ("seconds", r"seconds?|secs?|s"), ("minutes", r"minutes?|mins?"),
        ("hours", r"hours?|hrs?|h"),
        ("days", r"days?"), ("weeks", r"weeks?"), ("years", r"years?"),
    ),
    "volume": (
        ("litres", r"lit(?:er|re)s?|l"), ("millilitres", r"millilit(?:er|re)s?|ml"),
        ("gallons", r"gallons?"),
    ),
}  # fmt: skip
"""Of each dimension the units by name, and how they are written."""

_DIMENSION = {name: kind for kind, units in UNITS.items() for name, _ in units}
_SPELT = tuple(
    (name, re.compile(rf"(?:{spelt})(?![\w/²³^]| per\b)", re.IGNORECASE))
    for units in UNITS.values()
    for name, spelt in units
)
_WANTED = re.compile(r"\b(?:in|into|to|using|how many|or|and)\s+(?=[a-z°])", re.IGNORECASE)
_WANTS = re.compile(
    rf"{_WANTED.pattern}(?:{'|'.join(each.pattern for _, each in _SPELT)})",
    re.IGNORECASE,
)
"""The quick way out, for nearly every prompt."""
_MEASURES = re.compile(
    r"\b(?:how (?:long|far|tall|high|heavy|fast|deep|wide|hot|cold|old|many|much)|convert|express"
    r"|calculate|compute|(?:give|state|report) (?:your|the) (?:answer|result)|answer|distance|speed"
    r"|velocity|length|height|width|depth|weight|mass|temperature|time|duration|volume)\b",
    re.IGNORECASE,
)
"""A sentence that asks for a quantity: in "cook it in minutes" none is."""
_NUMBER = re.compile(r"\d[\d.,]*(?:\s?[x\u00d7]\s?10\^?-?\d+)?")
_DEMANDS = re.compile(
    r"(?<!not )(?<!n't )\b(?:include|with|state|give|specify|mention|add)\s+"
    r"(?:(?:the|its|your|appropriate|correct|proper|right)\s+)*units?"
    r"(?:\s+of\s+measure(?:ment)?)?\s*(?:[.,;)!?]|$|in (?:your|the) answer)",
    re.IGNORECASE | re.MULTILINE,
)
_CARRIES = re.compile(r"\d[^\w\n]{0,4}[a-zA-Z°µΩ%€£¥$]|[€£¥$]\s?\d")


class Quantity(Struct, frozen=True, kw_only=True):
    """A number with its unit as an answer gives it. `text`: as it stands there."""

    unit: str
    text: str


def unit_kept(query: Query, reply: Reply) -> Verdict:
    """Bad: the last number has another unit of the asked kind, and the asked one is nowhere.

    Also where units were asked for in words and no number has any. A quantity of the question is
    no answer, so one that is only repeated does not count.
    """
    text = reply.choices[0].text.strip()[-TAIL:]
    if not text or reply.tool_calls or _NUMBER.search(text) is None:
        return ABSTAIN
    prompt = query.prompt[-TAIL:]
    wanted, is_demanded = _wish(prompt)
    if wanted is not None:
        given = _last(text)
        is_other = given is not None and _DIMENSION[given.unit] == _DIMENSION[wanted]
        if given is None or given.unit == wanted or not is_other:
            return ABSTAIN
        if _named(wanted, text) or given.text in prompt:
            return ABSTAIN
        return bad(f"asked for {wanted}, given in {given.unit}")
    if is_demanded and not _CARRIES.search(text):
        return bad("asked for units, none is given")
    return ABSTAIN


def unit_asked(prompt: str) -> str | None:
    """The unit in which a prompt wants a quantity; None for none, or more than one.

    >>> unit_asked("How far is it from Oslo to Bergen in km?")
    'kilometres'
    >>> unit_asked("He ran 5 km in 30 minutes. How to cook rice in minutes?") is None
    True
    """
    return _wish(prompt[-TAIL:])[0]


@lru_cache(maxsize=256)
def _wish(prompt: str) -> tuple[str | None, bool]:
    """The unit that is asked for, and whether units are demanded at all."""
    wanted = _unit_in(prompt) if _WANTS.search(prompt) else None
    return wanted, _DEMANDS.search(prompt) is not None


def _unit_in(prompt: str) -> str | None:
    found: set[str] = set()
    for sentence in re.split(r"(?<=[.!?])\s|\n", prompt):
        if _MEASURES.search(sentence):
            found |= {
                name
                for match in _WANTED.finditer(sentence)
                for name, spelt in _SPELT
                if spelt.match(sentence, match.end())
            }
    return found.pop() if len(found) == 1 else None


def _last(text: str) -> Quantity | None:
    """The last number with its unit; None where that number has none, or a letter alone."""
    numbers = list(_NUMBER.finditer(text))
    if not numbers:
        return None
    last, after = numbers[-1], text[numbers[-1].end() :]
    start = last.end() + len(after) - len(after.lstrip(" *\u00a0$\\"))
    for name, spelt in _SPELT:
        found = spelt.match(text, start)
        if found is not None and len(found.group()) > 1:  # a letter may mean many things
            return Quantity(unit=name, text=text[last.start() : found.end()])
    return None


def _named(unit: str, text: str) -> bool:
    """Whether a unit is written anywhere, as a word or after a number."""
    spelt = next(spelt for name, spelt in _SPELT if name == unit)
    return any(
        match.start() == 0 or not text[match.start() - 1].isalpha()
        for match in spelt.finditer(text)
    )
