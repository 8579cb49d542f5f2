"""Text of a config -> nodes with their lines, the same whatever the format."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from typing import cast

Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Scalar:
    """A single value; `plain` is its text as written, where the format keeps it."""

    value: Value
    line: int | None = None
    plain: str | None = None


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: tuple[Node, ...]
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A key with its value."""

    name: str
    node: Node
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """A mapping; names may repeat, the reader reports it."""

    fields: tuple[Field, ...]
    line: int | None = None


Node = Scalar | Items | Fields


class Unreadable(Exception):
    """The text is not of its format; carries where and why."""

    def __init__(self, what: str, line: int | None = None) -> None:
        super().__init__(what)
        self.what = what
        self.line = line


def from_json(text: str) -> Node:
    """Nodes of a JSON text; raises `Unreadable`."""
    try:
        return _of_pairs(json.loads(text, object_pairs_hook=_Pairs, parse_constant=_no_constant))
    except json.JSONDecodeError as error:
        raise Unreadable(f"is not JSON: {error.msg}", error.lineno) from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None


def from_toml(text: str) -> Node:
    """Nodes of a TOML text; raises `Unreadable`."""
    try:
        return _of_object(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise Unreadable(f"is not TOML: {error}") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None


class _Pairs(tuple[tuple[str, object], ...]):
    """Fields of a JSON object, repeated names included."""

    __slots__ = ()


def _no_constant(name: str) -> object:
    raise Unreadable(f"is not JSON: {name} is not a number")


def _of_pairs(value: object) -> Node:
    if isinstance(value, _Pairs):
        return Fields(tuple(Field(name, _of_pairs(inner)) for name, inner in value))
    if isinstance(value, list):
        return Items(tuple(map(_of_pairs, cast("list[object]", value))))
    return Scalar(cast("Value", value))


def _of_object(value: object) -> Node:
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return Fields(tuple(Field(name, _of_object(inner)) for name, inner in fields.items()))
    if isinstance(value, list):
        return Items(tuple(map(_of_object, cast("list[object]", value))))
    if value is None or isinstance(value, str | int | float | bool):
        return Scalar(value)
    return Scalar(str(value))
