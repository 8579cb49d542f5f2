"""Complaints of the JSON decoder in words that a caller can act on."""

from __future__ import annotations

import re
import types
from collections.abc import Hashable, Iterator
from functools import lru_cache
from typing import Annotated, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import msgspec

from emafusion.domain.errors import BadInput

T = TypeVar("T")

_AT = re.compile(r" - at `(?:key in )?\$([^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `([^`]*)`")
_IS_WHOLE = re.compile(r"^Expected `[^`]*\bint\b[^`]*`, got `float`")
_INVALID = re.compile(r"^Invalid enum value ")
_WORDS = (
    (" | null", ""),
    ("`float`", "number"),
    ("`int`", "integer"),
    ("`int | float`", "number"),
    ("`str`", "string"),
    ("`bool`", "true or false"),
    (r"string matching regex '^[a-zA-Z0-9_-]+\\Z'", "letters, digits, '_' and '-' only"),
    ("`", ""),
)
_STEP = re.compile(r"\.?([^.\[\]]+)|\[(\d+|\.\.\.)\]")


def decode(data: bytes | msgspec.Raw, shape: type[T], /, *, where: str = "") -> T:
    """Decode JSON to `shape`; every fault becomes `BadInput`.

    `where` is the place of `data` in the whole body, such as `messages[2].content[0]`.
    """
    decoder = _decoder(cast("Hashable", shape))
    try:
        return cast("T", decoder.decode(data))
    except msgspec.ValidationError as error:
        if _IS_WHOLE.match(str(error)):
            return _wholly(data, decoder, shape, where=where)
        raise bad_value(error, shape, where) from None
    except RecursionError:
        raise BadInput("nested too deeply", where=where or None) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        why = str(error).removeprefix("JSON is malformed: ").lower()
        raise BadInput(f"not valid JSON: {why}", where=where or None) from None


def _wholly(
    data: bytes | msgspec.Raw,
    decoder: msgspec.json.Decoder[object],
    shape: type[T],
    *,
    where: str,
) -> T:
    """Decode again, with numbers such as 4.0 as the integers that JSON Schema takes them for."""
    try:
        return cast("T", decoder.decode(msgspec.json.encode(_integers(msgspec.json.decode(data)))))
    except msgspec.ValidationError as error:
        raise bad_value(error, shape, where) from None


def _integers(value: object) -> object:
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return {name: _integers(inner) for name, inner in pairs}
    if isinstance(value, list):
        return [_integers(inner) for inner in cast("list[object]", value)]
    is_integer = isinstance(value, float) and value.is_integer() and abs(value) < 2**53
    return int(cast("float", value)) if is_integer else value


@lru_cache(maxsize=64)
def _decoder(shape: Hashable) -> msgspec.json.Decoder[object]:
    """Made once for each shape: making one costs more than using it."""
    return msgspec.json.Decoder(cast("type[object]", shape))


def bad_value(error: msgspec.ValidationError, shape: object, where: str) -> BadInput:
    """Say what is wrong, where, and what would be right."""
    text = str(error)
    found = _AT.search(text)
    path = found.group(1) if found else ""
    text = _AT.sub("", text)
    if missing := _MISSING.match(text):
        return BadInput("is required", where=_join(where, f"{path}.{missing.group(1)}"))
    if _INVALID.match(text):
        text = _allowed(shape, path) + text[len("Invalid enum value") :]
    for theirs, ours in _WORDS:
        text = text.replace(theirs, ours)
    return BadInput(_lower(text), where=_join(where, path))


def _join(where: str, path: str) -> str | None:
    path = path.replace("[...]", "")
    joined = where + path if where else path.lstrip(".")
    return joined or None


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


def _allowed(shape: object, path: str) -> str:
    """List the values that would be right at `path`."""
    for name, _ in _STEP.findall(path):
        shape = next(_inside(shape, name), None)
    values = [repr(value) for value in _literals(shape)]
    return f"must be one of {', '.join(values)}, got" if values else "unknown value"


def _inside(shape: object, name: str) -> Iterator[object]:
    """Types of the field `name` (or of an item, where it is empty) in any part of a union."""
    for part in _parts(shape):
        if name and isinstance(part, type) and issubclass(part, msgspec.Struct):
            hints = get_type_hints(part, include_extras=True)
            if name in hints:
                yield hints[name]
        elif not name and get_origin(part) in (list, dict):
            yield get_args(part)[-1]


def _literals(shape: object) -> Iterator[object]:
    for part in _parts(shape):
        if get_origin(part) is Literal:
            yield from get_args(part)


def _parts(shape: object) -> Iterator[object]:
    """Members of a union, annotations stripped."""
    if get_origin(shape) is Annotated:
        shape = get_args(shape)[0]
    if get_origin(shape) in (Union, types.UnionType):
        for part in get_args(shape):
            yield from _parts(part)
    else:
        yield shape
