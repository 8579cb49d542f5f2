"""Keys of the config: each section is a frozen dataclass whose fields carry what is said of them.

    quality_weight: Annotated[float, Key("0 = cheapest acceptable, 1 = best", low=0, high=1)] = 0.5

From this one definition come the reader, its errors, the JSON schema, the commented file of
`emafusion init` and the reference page.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from types import NoneType, UnionType
from typing import Annotated, Literal, Union, get_args, get_origin, get_type_hints

Kind = Literal["text", "integer", "number", "boolean", "texts", "section", "sections"]

_KINDS: dict[object, Kind] = {str: "text", int: "integer", float: "number", bool: "boolean"}


@dataclass(frozen=True, slots=True)
class Key:
    """What is said of a key.

    `about`: meaning and unit, one phrase. `low` and `high`: bounds, both allowed; `above`: a bound
    that is not. `env_name`: the value is the name of an environment variable, never a secret.
    `unset`: what holds where the key is left out and its default is null. `unique`: no two items
    of the list may have the same value, case aside.
    """

    about: str
    low: float | None = None
    high: float | None = None
    above: float | None = None
    env_name: bool = False
    unset: str = ""
    unique: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of the config; its annotated fields are its keys."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """A key in full: its name, its type in plain form, its default and what is said of it."""

    name: str
    kind: Kind
    key: Key
    optional: bool = False
    required: bool = False
    default: object = None
    choices: tuple[str, ...] = ()
    section: type[Section] | None = None


def keys_of(section: type[Section]) -> tuple[KeySpec, ...]:
    """Keys of a section, in the order of the file."""
    hints = get_type_hints(section, include_extras=True)
    return tuple(
        _spec(field.name, hints[field.name], field.default)
        for field in fields(section)
        if get_origin(hints[field.name]) is Annotated
    )


def about(section: type[Section]) -> str:
    """First line of what a section is for."""
    return (section.__doc__ or "").strip().splitlines()[0].rstrip(".")


def _spec(name: str, hint: object, default: object) -> KeySpec:
    kind_hint, key = get_args(hint)[:2]
    inner, optional = _without_none(kind_hint)
    kind, choices, section = _kind(inner)
    return KeySpec(
        name=name,
        kind=kind,
        key=key,
        optional=optional,
        required=default is MISSING,
        default=None if default is MISSING else default,
        choices=choices,
        section=section,
    )


def _kind(hint: object) -> tuple[Kind, tuple[str, ...], type[Section] | None]:
    """Plain type, choices and section of a type without `| None`."""
    origin, args = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "text", tuple(map(str, args)), None
    if origin is tuple:
        kind, choices, section = _kind(args[0])
        return ("sections" if kind == "section" else "texts"), choices, section
    if isinstance(hint, type) and issubclass(hint, Section):
        return "section", (), hint
    return _KINDS[hint], (), None


def _without_none(hint: object) -> tuple[object, bool]:
    """The type that is not None, and whether None was allowed beside it."""
    if get_origin(hint) not in (UnionType, Union):
        return hint, False
    inner = [arg for arg in get_args(hint) if arg is not NoneType]
    return inner[0], True
