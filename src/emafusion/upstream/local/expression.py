"""An expression to its exact value, by a small grammar.

    sum     := product (("+" | "-") product)*
    product := signed (("*" | "/" | "mod") signed)*
    signed  := "-" postfix | power
    power   := postfix ("^" ["-"] postfix)?
    postfix := prefix ("squared" | "cubed" | "!")?
    prefix  := number ["percent of" postfix] | "(" sum ")" | "root" prefix | "half of" postfix ...

Where people disagree about precedence (-2^2, 2^3^2, 6 / 2 (1 + 2), 200 + 10 %) it abstains.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import NoReturn

from . import exact
from .exact import NotUnderstood, bounded
from .lexicon import Token, tokens_of

_MAX_DEPTH = 20
_FACTORS = {
    "half of": Fraction(1, 2),
    "third of": Fraction(1, 3),
    "quarter of": Fraction(1, 4),
    "twice": Fraction(2),
}


def calculation(text: str) -> Fraction:
    """The value of an expression with at least one operation: a bare number asks for nothing.

    Raises `NotUnderstood` or `Undefined`.

    >>> calculation("17% of 340")
    Fraction(289, 5)
    """
    tokens = tokens_of(text)
    numbers = sum(token.symbol == "number" for token in tokens)
    if numbers < 2 and all(token.symbol in ("number", "(", ")", "-") for token in tokens):
        raise NotUnderstood
    return _Parser(tokens).whole()


def operand(text: str) -> Fraction:
    """A number or something in parentheses: nothing whose extent could be doubted.

    Raises `NotUnderstood` or `Undefined`.
    """
    tokens = tokens_of(text)
    signed = tokens[1:] if tokens and tokens[0].symbol == "-" else tokens
    if len(signed) != 1 and not _is_one_group(signed):
        raise NotUnderstood
    return _Parser(tokens).whole()


def _is_one_group(tokens: Sequence[Token]) -> bool:
    """Whether the parenthesis that opens first closes last."""
    depth = 0
    for index, token in enumerate(tokens):
        depth += (token.symbol == "(") - (token.symbol == ")")
        if depth == 0:
            return index > 0 and index == len(tokens) - 1
    return False


class _Parser:
    def __init__(self, tokens: Sequence[Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    def whole(self) -> Fraction:
        value = self._sum()
        if self._at != len(self._tokens):
            raise NotUnderstood
        return value

    def _peek(self) -> str:
        return self._tokens[self._at].symbol if self._at < len(self._tokens) else ""

    def _take(self, *symbols: str) -> str:
        """The next symbol if it is one of these, else an empty text."""
        symbol = self._peek()
        if symbol not in symbols:
            return ""
        self._at += 1
        return symbol

    def _sum(self) -> Fraction:
        self._depth += 1
        if self._depth > _MAX_DEPTH:
            raise NotUnderstood
        value = self._product()
        while sign := self._take("+", "-"):
            term = self._product()
            value = bounded(value + term if sign == "+" else value - term)
        self._depth -= 1
        return value

    def _product(self) -> Fraction:
        value = self._signed()
        while operator := self._take("*", "/", "mod"):
            factor = self._signed()
            if operator == "*":
                value = bounded(value * factor)
            else:
                value = (exact.divide if operator == "/" else exact.remainder)(value, factor)
        return value

    def _signed(self) -> Fraction:
        if not self._take("-"):
            return self._power()
        value = self._postfix()
        if self._peek() in ("^", "mod"):  # -2^2 is 4 to some and -4 to others
            raise NotUnderstood
        return -value

    def _power(self) -> Fraction:
        base = self._postfix()
        if not self._take("^"):
            return base
        sign = -1 if self._take("-") else 1
        value = exact.power(base, sign * self._postfix())
        if self._peek() == "^":
            raise NotUnderstood
        return value

    def _postfix(self) -> Fraction:
        value = self._prefix()
        operator = self._take("squared", "cubed", "!")
        if operator == "!":
            value = exact.factorial(value)
        elif operator:
            value = exact.power(value, Fraction(2 if operator == "squared" else 3))
        if self._peek() in ("squared", "cubed", "!", "number", "("):
            raise NotUnderstood
        return value

    def _prefix(self) -> Fraction:
        if self._peek() == "number":
            value = self._tokens[self._at].value
            self._at += 1
            return value / 100 * self._postfix() if self._take("percent of") else value
        if self._take("("):
            value = self._sum()
            return value if self._take(")") else self._stuck()
        if operator := self._take("root", "abs"):
            return exact.square_root(self._prefix()) if operator == "root" else abs(self._prefix())
        factor = _FACTORS.get(self._take(*_FACTORS))
        return factor * self._postfix() if factor is not None else self._stuck()

    def _stuck(self) -> NoReturn:
        raise NotUnderstood
