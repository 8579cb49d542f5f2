"""JSON schemas cut down to what Anthropic's structured output takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

import msgspec

_DEEPEST = 64
_KEPT = frozenset({"type", "enum", "const", "$ref", "title", "description", "default"})
_SCHEMAS = frozenset({"anyOf", "allOf", "oneOf", "prefixItems"})
_NAMED_SCHEMAS = frozenset({"properties", "$defs", "definitions"})
_FORMATS = frozenset(
    {
        "date",
        "date-time",
        "duration",
        "email",
        "hostname",
        "ipv4",
        "ipv6",
        "time",
        "uri",
        "uuid",
    }
)
_SILENT = frozenset({"$schema", "$id", "additionalProperties"})

Json = Mapping[str, object]


def strict_schema(schema: bytes, /) -> dict[str, object]:
    """Close every object and move what the API refuses (ranges, lengths, patterns) to the text.

    What is moved is still read by the model, as a wish in the description.

    >>> strict_schema(b'{"type": "integer", "minimum": 1}')
    {'type': 'integer', 'description': 'minimum: 1'}
    """
    try:
        return _schema(msgspec.json.decode(schema), 0)
    except RecursionError:
        # Nested deeper than anyone means: anything goes.
        return {}


def _schema(schema: object, depth: int) -> dict[str, object]:
    if not _is_object(schema) or depth > _DEEPEST:
        return {}
    strict: dict[str, object] = {}
    wishes: list[str] = []
    for key, value in schema.items():
        kept = _keyword(key, value, depth)
        if kept is not None:
            strict["anyOf" if key == "oneOf" else key] = kept
        elif key not in _SILENT:
            wishes.append(f"{key}: {msgspec.json.encode(value).decode()}")
    kind = strict.get("type")
    if kind == "object" or (_is_list(kind) and "object" in kind) or "properties" in strict:
        strict["additionalProperties"] = False
    if wishes:
        said = strict.get("description")
        strict["description"] = "; ".join([str(said), *wishes] if said else wishes)
    return strict


def _keyword(key: str, value: object, depth: int) -> object:
    """Give the value to send for a keyword; None if it cannot be sent."""
    if key in _KEPT or (key == "format" and value in _FORMATS):
        return value
    if key == "required" or (key == "minItems" and value in (0, 1)):
        return value
    if key == "items":
        return _schema(value, depth + 1)
    if key in _SCHEMAS and _is_list(value):
        return [_schema(item, depth + 1) for item in value]
    if key in _NAMED_SCHEMAS and _is_object(value):
        return {name: _schema(item, depth + 1) for name, item in value.items()}
    return None


def _is_object(value: object) -> TypeGuard[Json]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
