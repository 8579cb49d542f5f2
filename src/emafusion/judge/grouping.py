"""Groups of equal answers among the attempts at one query."""

from __future__ import annotations

from collections.abc import Sequence

from emafusion.domain.attempt import Attempt
from emafusion.domain.query import Query
from emafusion.judge.answers import short_answer

NOTHING = -2
"""Numbers from here down: answered, but with nothing that another answer could equal."""

_NUMBER = "number:"
_RELATIVE = 1e-6


def group(query: Query, attempts: tuple[Attempt, ...]) -> tuple[int, ...]:
    """For each attempt the number of its group of equal answers, -1 where it failed.

    Groups are numbered by first appearance. An answer without a short form (prose, code, or one
    that cannot be read) is a group of its own, numbered below -1: no other answer can join it.
    Which attempts share a group does not depend on their order.
    """
    replied = [i for i, a in enumerate(attempts) if a.reply is not None]
    keys = [short_answer(query, reply) for a in attempts if (reply := a.reply) is not None]
    numbers = [-1] * len(attempts)
    for i, number in zip(replied, groups_of(keys), strict=True):
        numbers[i] = number
    return tuple(numbers)


def groups_of(keys: Sequence[str | None]) -> tuple[int, ...]:
    """Group canonical answers; None equals nothing (-2 and below), numbers within their rounding.

    Two numbers are equal within a millionth, or where one is the other rounded to its (at least
    two) decimals. Such links chain, so that the result does not depend on order.

    >>> groups_of(["number:0.333", "text:paris", None, "number:0.333333333", "text:paris", None])
    (0, 1, -2, 0, 1, -3)
    """
    leaders = _number_leaders([k for k in keys if k is not None and k.startswith(_NUMBER)])
    seen: dict[str, int] = {}
    numbers: list[int] = []
    alone = NOTHING
    for key in keys:
        if key is None:
            numbers.append(alone)
            alone -= 1
        else:
            numbers.append(seen.setdefault(leaders.get(key, key), len(seen)))
    return tuple(numbers)


def _number_leaders(keys: list[str]) -> dict[str, str]:
    """Each number's key -> the key of the smallest number that it is linked to."""
    ordered = sorted(set(keys), key=lambda k: (float(k[len(_NUMBER) :]), k))
    leaders: dict[str, str] = {}
    for before, key in zip(["", *ordered], ordered, strict=False):
        linked = before and _same_number(before[len(_NUMBER) :], key[len(_NUMBER) :])
        leaders[key] = leaders[before] if linked else key
    return leaders


def _same_number(a: str, b: str) -> bool:
    x, y = float(a), float(b)
    gap = abs(x - y)
    if gap <= _RELATIVE * max(abs(x), abs(y)):
        return True
    decimals = min(_decimals(a), _decimals(b))
    return decimals >= 2 and gap <= 0.5000001 * 10.0**-decimals  # 0.3 is no rounding of 1/3


def _decimals(digits: str) -> int:
    return len(digits.partition(".")[2]) if "e" not in digits else 0
