"""Arithmetic as people say it: an expression, or one of the spoken forms such as "add 3 and 5"."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from fractions import Fraction
from typing import TypeAlias

from . import exact
from .exact import NotUnderstood, bounded
from .expression import calculation, operand

_Values: TypeAlias = list[Fraction]
_Compute: TypeAlias = Callable[[_Values], Fraction]

_ROOT = re.compile(r"(?:the )?(?:square root of|sqrt(?: of)?|√) ?(.+)")


def evaluate(text: str) -> str:
    """The value of an expression or spoken form, as people write it.

    `text` is lower case without lead-in words. Raises `NotUnderstood` or `Undefined`.

    >>> evaluate("17% of 340"), evaluate("the sum of 1, 2 and 3"), evaluate("sqrt(2)")
    ('57.8', '6', 'about 1.4142135624')
    """
    for pattern, compute in _FORMS:
        if found := pattern.fullmatch(text):
            values = [value for group in found.groups() for value in _operands(group)]
            return exact.shown(compute(values))
    root = _ROOT.fullmatch(text)
    return _root(root[1], text) if root else exact.shown(calculation(text))


def _root(radicand: str, text: str) -> str:
    """A square root alone, which may be rounded; as a part of more it must be exact."""
    try:
        value = operand(radicand)
    except NotUnderstood:
        return exact.shown(calculation(text))
    try:
        return exact.shown(exact.square_root(value))
    except NotUnderstood:
        return exact.approximate_root(value)


def _operands(text: str) -> _Values:
    """A list such as "3, 4 and 5", or one operand. "1,200,300" could be one number or three."""
    if re.search(r"\d,\d", text) and re.search(r",\S*,|, |,? and ", text):
        raise NotUnderstood
    return [operand(part) for part in re.split(r" ?, and | ?, ?| and ", text)]


def _several(values: _Values) -> _Values:
    if len(values) < 2:
        raise NotUnderstood
    return values


def _pair(values: _Values) -> tuple[Fraction, Fraction]:
    if len(values) != 2:
        raise NotUnderstood
    return values[0], values[1]


def _one(values: _Values) -> Fraction:
    if len(values) != 1:
        raise NotUnderstood
    return values[0]


def _total(values: _Values) -> Fraction:
    return bounded(sum(_several(values), Fraction(0)))


def _product(values: _Values) -> Fraction:
    return bounded(math.prod(_several(values), start=Fraction(1)))


def _taken_from(values: _Values) -> Fraction:
    taken, start = _pair(values)
    return bounded(start - taken)


def _difference(values: _Values) -> Fraction:
    first, second = _pair(values)
    return bounded(abs(first - second))


def _quotient(values: _Values) -> Fraction:
    return exact.divide(*_pair(values))


def _remainder(values: _Values) -> Fraction:
    return exact.remainder(*_pair(values))


def _mean(values: _Values) -> Fraction:
    return _total(values) / len(values)


def _fits(values: _Values) -> Fraction:
    """How often one number goes into another: only where it does so exactly."""
    part, into = _pair(values)
    return Fraction(exact.whole(exact.divide(into, part)))


def _largest(values: _Values) -> Fraction:
    return max(_several(values))


def _smallest(values: _Values) -> Fraction:
    return min(_several(values))


def _divisor(values: _Values) -> Fraction:
    return exact.common_divisor(_several(values))


def _multiple(values: _Values) -> Fraction:
    return exact.common_multiple(_several(values))


def _factorial(values: _Values) -> Fraction:
    return exact.factorial(_one(values))


def _rounder(places: int) -> _Compute:
    """Rounds to a multiple of 10 ** places."""
    return lambda values: exact.rounded(_one(values), Fraction(10) ** places)


_GREATEST = "maximum|largest|greatest|biggest|highest"
_LEAST = "minimum|smallest|lowest|least"
_SPOKEN: dict[str, _Compute] = {
    r"add (.+) (?:to|and) (.+)": _total,
    r"(?:subtract|take away) (.+) from (.+)": _taken_from,
    r"take (.+?) (?:away )?from (.+)": _taken_from,
    r"multiply (.+) (?:by|and|with) (.+)": _product,
    r"divide (.+) by (.+)": _quotient,
    r"(?:the )?(?:sum|total) of (.+)": _total,
    r"(?:the )?product of (.+)": _product,
    r"(?:the )?difference (?:between|of) (.+)": _difference,
    r"(?:the )?quotient of (.+)": _quotient,
    r"(?:the )?(?:average|mean) of (.+)": _mean,
    rf"(?:the )?(?:{_GREATEST})(?: number)? of (.+)": _largest,
    rf"(?:the )?(?:{_LEAST})(?: number)? of (.+)": _smallest,
    r"(?:the )?(?:greatest common (?:divisor|factor)|highest common factor) of (.+)": _divisor,
    r"(?:the )?(?:gcd|gcf|hcf) of (.+)": _divisor,
    r"(?:gcd|gcf|hcf) ?\(([^()]+)\)": _divisor,
    r"(?:the )?(?:least|lowest|smallest) common multiple of (.+)": _multiple,
    r"(?:the )?lcm of (.+)": _multiple,
    r"lcm ?\(([^()]+)\)": _multiple,
    r"(?:the )?factorial of (.+)": _factorial,
    r"(?:the )?remainder (?:when|if|of) (.+?) (?:is )?divided by (.+)": _remainder,
    r"how many times does (.+) go into (.+)": _fits,
}
_NEAREST = {
    "whole number": 0,
    "integer": 0,
    "ten": 1,
    "hundred": 2,
    "thousand": 3,
    "tenth": -1,
    "hundredth": -2,
    "thousandth": -3,
}
_PLACES = ("one", "two", "three", "four", "five", "six")
_ROUNDING: dict[str, _Compute] = {
    **{rf"round (.+) to the nearest {unit}": _rounder(at) for unit, at in _NEAREST.items()},
    **{
        rf"round (.+) to (?:{n}|{word}) decimal places?": _rounder(-n)
        for n, word in enumerate(_PLACES, start=1)
    },
}
_FORMS = tuple((re.compile(form), compute) for form, compute in (_SPOKEN | _ROUNDING).items())
