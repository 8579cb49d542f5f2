"""An expression in figures or words to tokens: each word is known, or nothing is understood."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction

from .exact import NotUnderstood

_MAX_TOKENS = 80
_MAX_DIGITS = 30
_SMALL = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_TEENS = ("ten", "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen")
_ONES = (*_SMALL, *_TEENS, "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_WORDS = {word: value for value, word in enumerate(_ONES)} | {
    word: value for value, word in zip(range(20, 100, 10), _TENS, strict=True)
}

# What a phrase means is its symbol. A longer phrase stands before one that it begins with.
_PHRASES = (
    (r"raised to the power of|to the power of|\*\*|\^", "^"),
    (r"multiplied by|times|\*|\u00d7|\u00b7", "*"),
    (r"divided by|over|/|÷", "/"),
    (r"plus|\+", "+"),
    (r"minus|-|\u2212", "-"),
    (r"modulo|mod", "mod"),
    (r"(?:percent|per cent|%) of", "percent of"),
    (r"squared", "squared"),
    (r"cubed", "cubed"),
    (r"!", "!"),
    (r"(?:the )?square root of|sqrt(?: of)?|√", "root"),
    (r"(?:the )?absolute value of", "abs"),
    (r"(?:a |one )?half of", "half of"),
    (r"(?:a |one )third of", "third of"),
    (r"(?:a |one )quarter of", "quarter of"),
    (r"twice", "twice"),
    (r"\(", "("),
    (r"\)", ")"),
)
_SYMBOLS = tuple(
    (re.compile(rf"(?:{pattern}){'(?![a-z])' if pattern[-1].isalpha() else ''}"), symbol)
    for pattern, symbol in _PHRASES
)
_CROSS = re.compile(r"x(?= ?[0-9])")  # "3 x 4", but not "2x - 3", which is algebra
_FIGURES = re.compile(r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?|\.[0-9]+")
_GLUED = re.compile(r"[a-z0-9.,]")
_SPELLED = re.compile(
    rf"({'|'.join(_TENS)})(?:[- ]({'|'.join(_SMALL[1:])}))?(?![a-z])"
    rf"|({'|'.join(reversed(_ONES))})(?![a-z])"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A symbol of the grammar, or a number (then `symbol` is "number")."""

    symbol: str
    value: Fraction = Fraction(0)


def tokens_of(text: str) -> tuple[Token, ...]:
    """Tokens of a lower-case expression; raises `NotUnderstood` at the first unknown word.

    >>> [token.symbol for token in tokens_of("twenty-one times (3 + 4)")]
    ['number', '*', '(', 'number', '+', 'number', ')']
    """
    found: list[Token] = []
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        token, at = _token(text, at)
        found.append(token)
        if len(found) > _MAX_TOKENS:
            raise NotUnderstood
    return tuple(found)


def _token(text: str, at: int) -> tuple[Token, int]:
    if figures := _FIGURES.match(text, at):
        return _number(text, figures)
    if spelled := _SPELLED.match(text, at):
        tens, ones, small = spelled.groups()
        value = _WORDS[tens] + _WORDS.get(ones, 0) if tens else _WORDS[small]
        return Token(symbol="number", value=Fraction(value)), spelled.end()
    for pattern, symbol in _SYMBOLS:
        if phrase := pattern.match(text, at):
            return Token(symbol=symbol), phrase.end()
    if cross := _CROSS.match(text, at):
        return Token(symbol="*"), cross.end()
    raise NotUnderstood


def _number(text: str, figures: re.Match[str]) -> tuple[Token, int]:
    """A number in figures; what is glued to it must not be more of a number or a unit."""
    rest = text[figures.end() : figures.end() + 1]
    is_cross = rest == "x" and not text[figures.end() + 1 : figures.end() + 2].isalpha()
    if len(figures[0]) > _MAX_DIGITS or (_GLUED.match(rest) and not is_cross):
        raise NotUnderstood
    return Token(symbol="number", value=Fraction(figures[0].replace(",", ""))), figures.end()
