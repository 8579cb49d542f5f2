"""Values inside foreign JSON, without trust in its shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TypeAlias

import msgspec

from emafusion.tables.json_kinds import is_list, is_object

Json: TypeAlias = object


def reach(value: Json, *path: str | int) -> Json:
    """What is at a path, None where the path ends before.

    >>> reach({"a": [{"b": 1}]}, "a", 0, "b")
    1
    >>> reach({"a": []}, "a", 0, "b") is None
    True
    """
    for step in path:
        if isinstance(step, str):
            value = value.get(step) if is_object(value) else None
        else:
            held = items(value)
            value = held[step] if -len(held) <= step < len(held) else None
    return value


def items(value: Json) -> Sequence[Json]:
    """The elements of a list; nothing for anything else."""
    return value if is_list(value) else ()


def pairs(value: Json) -> Sequence[tuple[str, Json]]:
    """The members of an object; nothing for anything else."""
    return list(value.items()) if is_object(value) else ()


def text(value: Json) -> str | None:
    """A text; None for anything else, and for an empty one."""
    return value if isinstance(value, str) and value else None


def number(value: Json) -> float | None:
    """A number, also one in quotes; true and false are 1 and 0.

    >>> number("0.5"), number(True), number("x"), number(None)
    (0.5, 1.0, None, None)
    """
    if isinstance(value, int | float):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def paid(value: Json) -> float | None:
    """Dollars, where 0 stands for a price that was not known."""
    usd = number(value)
    return None if usd == 0 else usd


def counted(value: Json) -> Json:
    """Tokens, where 0 stands for a number that was not kept."""
    return None if number(value) == 0 else value


def decoded(value: Json) -> Json:
    """What a text of JSON says; anything else as it is, also a text that is no JSON."""
    if not isinstance(value, str) or value.lstrip()[:1] not in {"{", "[", '"'}:
        return value
    try:
        read: object = msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, ValueError):
        return value
    return read


def seconds(begin: Json, end: Json) -> float | None:
    """From one moment to another; both in ISO 8601 or Unix seconds.

    >>> seconds("2026-01-02 03:04:05", "2026-01-02T03:04:06.5")
    1.5
    """
    first, last = _moment(begin), _moment(end)
    return None if first is None or last is None else round(last - first, 6)


def _moment(value: Json) -> float | None:
    known = number(value)
    if known is not None or not isinstance(value, str):
        return known
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return (moment - datetime(1970, 1, 1, tzinfo=moment.tzinfo)).total_seconds()
