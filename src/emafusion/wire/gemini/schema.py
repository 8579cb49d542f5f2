"""Google's own schema language, a part of OpenAPI's, as JSON schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeGuard

import msgspec

_DEEPEST = 64
_SCHEMAS = frozenset({"items", "additionalProperties", "not"})
_LISTS = frozenset({"anyOf", "oneOf", "allOf", "prefixItems"})
_NAMED = frozenset({"properties", "$defs", "definitions"})
_SILENT = frozenset({"propertyOrdering", "property_ordering", "nullable", "example"})


def json_schema(schema: bytes, /) -> bytes:
    """Write a schema with types in lower case and null as a type of its own.

    >>> json_schema(b'{"type": "STRING", "nullable": true}')
    b'{"type":["string","null"]}'
    """
    return msgspec.json.encode(_schema(msgspec.json.decode(schema), 0))


def _schema(schema: object, depth: int) -> object:
    if not _is_object(schema) or depth > _DEEPEST:
        return schema
    made = {key: _value(key, value, depth) for key, value in schema.items() if key not in _SILENT}
    kind = made.get("type")
    if schema.get("nullable") is True and isinstance(kind, str):
        made["type"] = [kind, "null"]
    return made


def _value(key: str, value: object, depth: int) -> object:
    if key == "type" and isinstance(value, str):
        return value.lower()
    if key in _SCHEMAS:
        return _schema(value, depth + 1)
    if key in _LISTS and _is_list(value):
        return [_schema(item, depth + 1) for item in value]
    if key in _NAMED and _is_object(value):
        return {name: _schema(item, depth + 1) for name, item in value.items()}
    return value


def _is_object(value: object) -> TypeGuard[Mapping[str, object]]:
    return isinstance(value, dict)


def _is_list(value: object) -> TypeGuard[list[object]]:
    return isinstance(value, list)
