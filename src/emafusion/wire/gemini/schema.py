"""Google's own schema language, a part of OpenAPI's, as JSON schema."""

from __future__ import annotations

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
    if not isinstance(schema, dict) or depth > _DEEPEST:
        return schema
    fields: dict[str, object] = schema
    made = {key: _value(key, value, depth) for key, value in fields.items() if key not in _SILENT}
    kind = made.get("type")
    if fields.get("nullable") is True and isinstance(kind, str):
        made["type"] = [kind, "null"]
    return made


def _value(key: str, value: object, depth: int) -> object:
    if key == "type" and isinstance(value, str):
        return value.lower()
    if key in _SCHEMAS:
        return _schema(value, depth + 1)
    if key in _LISTS and isinstance(value, list):
        items: list[object] = value
        return [_schema(item, depth + 1) for item in items]
    if key in _NAMED and isinstance(value, dict):
        named: dict[str, object] = value
        return {name: _schema(item, depth + 1) for name, item in named.items()}
    return value
