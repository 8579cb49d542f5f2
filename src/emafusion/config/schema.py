"""JSON schema of the config, for editors; made from the same definition that reads it."""

from __future__ import annotations

import json
from typing import TypeAlias, cast

from emafusion.config.keys import KeySpec, Section, about, keys_of
from emafusion.config.tree import Config

Json: TypeAlias = "str | int | float | bool | list[Json] | dict[str, Json] | None"

_TYPES = {
    "text": "string",
    "texts": "string",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
}


def schema_text() -> str:
    """Text of `config.schema.json`."""
    return json.dumps(schema(), indent=2) + "\n"


def schema() -> dict[str, Json]:
    """Schema of a whole config.

    >>> schema()["title"]
    'emafusion config'
    """
    draft = "https://json-schema.org/draft/2020-12/schema"
    return {"$schema": draft, "title": "emafusion config", **_section(Config)}


def _section(section: type[Section]) -> dict[str, Json]:
    specs = keys_of(section)
    required: list[Json] = [spec.name for spec in specs if spec.required]
    properties: dict[str, Json] = {spec.name: _key(spec) for spec in specs}
    shape: dict[str, Json] = {
        "type": "object",
        "description": about(section),
        "properties": properties,
        "additionalProperties": False,
    }
    return {**shape, "required": required} if required else shape


def _key(spec: KeySpec) -> Json:
    """Schema of one key; null is allowed wherever the reader allows it."""
    shape = _shape(spec)
    nullable = spec.optional or spec.section is not None
    if nullable:
        options: list[Json] = [shape, {"type": "null"}]
        shape = {"anyOf": options}
    described: dict[str, Json] = {"description": spec.key.about, **shape}
    if spec.required or spec.section is not None:
        return described
    return {**described, "default": _plain(spec.default)}


def _shape(spec: KeySpec) -> dict[str, Json]:
    if spec.section is not None:
        inner = _section(spec.section)
        return {"type": "array", "items": inner} if spec.kind == "sections" else inner
    value = _value(spec)
    if spec.kind != "texts":
        return value
    return {"type": "array", "items": value, "uniqueItems": True}


def _value(spec: KeySpec) -> dict[str, Json]:
    key = spec.key
    bounds: dict[str, Json | None] = {
        "enum": list(spec.choices) or None,
        "minimum": key.low,
        "maximum": key.high,
        "exclusiveMinimum": key.above,
        "pattern": "^[A-Z_][A-Z0-9_]*$" if key.env_name else None,
        "minLength": 1 if spec.kind in {"text", "texts"} and not spec.choices else None,
    }
    given = {name: bound for name, bound in bounds.items() if bound is not None}
    return {"type": _TYPES[spec.kind], **given}


def _plain(value: object) -> Json:
    """A default as JSON."""
    if isinstance(value, tuple):
        return [_plain(item) for item in cast("tuple[object, ...]", value)]
    return value if isinstance(value, str | int | float | bool) else None
