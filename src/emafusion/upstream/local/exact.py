"""Exact arithmetic on fractions that cannot run away: every operation has a bound."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal, localcontext
from fractions import Fraction

_MAX_BITS = 2048  # of a numerator or denominator: about 617 decimal digits
_MAX_EXPONENT = 1000
_MAX_FACTORIAL = 100
_ROOT_DIGITS = 10


class NotUnderstood(Exception):
    """The question is not one that can be answered exactly; the calculator abstains."""


class Undefined(Exception):
    """The question is understood and has no answer, such as a division by zero."""


def bounded(value: Fraction) -> Fraction:
    """`value`, or `NotUnderstood` if it is too large to work with."""
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MAX_BITS:
        raise NotUnderstood
    return value


def divide(a: Fraction, b: Fraction) -> Fraction:
    """The quotient a / b."""
    if b == 0:
        raise Undefined("division by zero")
    return bounded(a / b)


def remainder(a: Fraction, b: Fraction) -> Fraction:
    """The remainder of a / b, for whole a >= 0 and b > 0: beyond that conventions differ."""
    if b == 0:
        raise Undefined("division by zero")
    if whole(a) < 0 or whole(b) < 0:
        raise NotUnderstood
    return a % b


def power(base: Fraction, exponent: Fraction) -> Fraction:
    """The power base ** exponent, for a whole exponent and not 0 ** 0: conventions differ."""
    times = whole(exponent)
    if base == 0 and times == 0:
        raise NotUnderstood
    if base == 0 and times < 0:
        raise Undefined("division by zero")
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if abs(times) > _MAX_EXPONENT or bits * abs(times) > _MAX_BITS:
        raise NotUnderstood
    return bounded(base**times)


def factorial(value: Fraction) -> Fraction:
    """The factorial of whole values 0..100."""
    times = whole(value)
    if not 0 <= times <= _MAX_FACTORIAL:
        raise NotUnderstood
    return Fraction(math.factorial(times))


def square_root(value: Fraction) -> Fraction:
    """The root, if it is a fraction; raises `NotUnderstood` if not, `Undefined` below zero."""
    if value < 0:
        raise Undefined("there is no real square root of a negative number")
    root = Fraction(math.isqrt(value.numerator), math.isqrt(value.denominator))
    if root * root != value:
        raise NotUnderstood
    return root


def approximate_root(value: Fraction) -> str:
    """A root that is no fraction, rounded to ten digits after the point."""
    with localcontext() as context:
        context.prec = 700
        root = (Decimal(value.numerator) / Decimal(value.denominator)).sqrt()
        return f"about {round(root, _ROOT_DIGITS):f}"


def common_divisor(values: Sequence[Fraction]) -> Fraction:
    """Greatest common divisor of positive whole numbers."""
    return Fraction(math.gcd(*_positive(values)))


def common_multiple(values: Sequence[Fraction]) -> Fraction:
    """Least common multiple of positive whole numbers."""
    return bounded(Fraction(math.lcm(*_positive(values))))


def rounded(value: Fraction, unit: Fraction) -> Fraction:
    """`value` to the nearest multiple of `unit`; a tie is left alone, conventions differ."""
    steps = value / unit
    if steps.denominator == 2:
        raise NotUnderstood
    return round(steps) * unit


def whole(value: Fraction) -> int:
    """A fraction that is a whole number, as int; else `NotUnderstood`."""
    if value.denominator != 1:
        raise NotUnderstood
    return value.numerator


def shown(value: Fraction) -> str:
    """As people write it: 12, 3.5, or 10/3 (about 3.333333).

    >>> shown(Fraction(7, 2)), shown(Fraction(10, 3)), shown(Fraction(-4))
    ('3.5', '10/3 (about 3.333333)', '-4')
    """
    if value.denominator == 1:
        return str(value.numerator)
    decimals = _decimals(value.denominator)
    if decimals is not None:
        return _fixed(value, decimals)
    about = _fixed(Fraction(round(value * 10**6), 10**6), 6)
    return f"{value.numerator}/{value.denominator} (about {about})"


def _fixed(value: Fraction, decimals: int) -> str:
    scaled = abs(value) * 10**decimals
    digits = str(whole(scaled)).rjust(decimals + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-decimals]}.{digits[-decimals:]}"


def _decimals(denominator: int) -> int | None:
    """Digits after the point of a fraction that ends, up to 30; None for one that does not."""
    return next((n for n in range(1, 31) if 10**n % denominator == 0), None)


def _positive(values: Sequence[Fraction]) -> list[int]:
    numbers = [whole(value) for value in values]
    if min(numbers) < 1:
        raise NotUnderstood
    return numbers
