"""What a request may hold -> JSON Schema, from the very structs that requests are read into."""

from __future__ import annotations

import types
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, TypeGuard, Union, get_args, get_origin, get_type_hints

from msgspec import NODEFAULT, Meta, Raw, Struct
from msgspec.structs import fields

Schema = dict[str, object]
Changes = Mapping[tuple[type[Struct], str], Schema]
"""Struct and name of a field (empty for the struct itself) -> what its schema is besides, or
instead where the field holds raw JSON."""

_PLAIN: Mapping[object, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    Raw: {},
}
_BOUNDS = {
    "ge": "minimum",
    "le": "maximum",
    "gt": "exclusiveMinimum",
    "lt": "exclusiveMaximum",
}
_LENGTHS = {
    "string": ("minLength", "maxLength"),
    "array": ("minItems", "maxItems"),
    "object": ("minProperties", "maxProperties"),
}


class Structs:
    """Writes schemas of structs; `components` has those that others refer to, by name."""

    def __init__(self, names: Mapping[str, str], changes: Changes) -> None:
        self.components: dict[str, Schema] = {}
        self._names = names
        self._changes = changes

    def reference(self, struct: type[Struct]) -> Schema:
        """A reference to a struct's schema, which is written if it was not yet.

        Its name begins by its module, as `names` says.
        """
        prefix = self._names[struct.__module__]
        own = struct.__name__.lstrip("_").removesuffix("Params").removesuffix("Param")
        name = f"{prefix}{own or 'Request'}"
        if name not in self.components:
            self.components[name] = {}  # before it is written: it may hold itself
            self.components[name] |= self._struct(struct)
        return {"$ref": f"#/components/schemas/{name}"}

    def _struct(self, struct: type[Struct]) -> Schema:
        hints = get_type_hints(struct, include_extras=True)
        required: list[str] = []
        properties: Schema = {}
        for field in fields(struct):
            hint = hints[field.name]
            properties[field.encode_name] = self._field(struct, field.name, hint)
            if field.default is NODEFAULT and field.default_factory is NODEFAULT:
                required.append(field.encode_name)
        schema: Schema = {"type": "object", "properties": properties}
        if required:
            schema["required"] = required
        doc = (struct.__doc__ or "").strip().splitlines()
        return schema | ({"description": doc[0]} if doc else {}) | self._change(struct, "")

    def _field(self, struct: type[Struct], name: str, hint: object) -> Schema:
        if (struct, name) in self._changes:
            return dict(self._changes[struct, name])
        return self.schema(hint)

    def _change(self, struct: type[Struct], name: str) -> Schema:
        return dict(self._changes.get((struct, name), {}))

    def schema(self, hint: object) -> Schema:
        """The schema of a type."""
        origin, args = get_origin(hint), get_args(hint)
        schema: Schema
        if hint in _PLAIN:
            schema = dict(_PLAIN[hint])
        elif origin is Annotated:
            schema = self._bounded(self.schema(args[0]), args[1:])
        elif origin in (Union, types.UnionType):
            schema = _either([self.schema(arg) for arg in args])
        elif origin is Literal:
            schema = {"type": "string", "enum": [str(arg) for arg in args]}
        elif origin is list:
            schema = {"type": "array", "items": self.schema(args[0])}
        elif origin is dict:
            schema = self._mapping(args[0], args[1])
        elif _is_struct(hint):
            schema = self.reference(hint)
        else:
            raise TypeError(hint)
        return schema

    def _mapping(self, key: object, value: object) -> Schema:
        names = self.schema(key)
        schema: Schema = {"type": "object", "additionalProperties": self.schema(value)}
        return schema if names == {"type": "string"} else schema | {"propertyNames": names}

    def _bounded(self, schema: Schema, metas: tuple[object, ...]) -> Schema:
        found = [dict(_limits(schema, meta)) for meta in metas if isinstance(meta, Meta)]
        for limits in found:
            schema |= limits
        return schema


def _is_struct(hint: object) -> TypeGuard[type[Struct]]:
    return isinstance(hint, type) and issubclass(hint, Struct)


def _limits(schema: Schema, meta: Meta) -> Iterator[tuple[str, object]]:
    for name, keyword in _BOUNDS.items():
        bound = getattr(meta, name)
        if bound is not None:
            yield keyword, bound
    least, most = _LENGTHS.get(str(schema.get("type")), ("minLength", "maxLength"))
    if meta.min_length is not None:
        yield least, meta.min_length
    if meta.max_length is not None:
        yield most, meta.max_length
    if meta.pattern is not None:
        yield "pattern", meta.pattern.replace(r"\Z", "$")


def _either(schemas: list[Schema]) -> Schema:
    """One of several; a type that may be null besides says so in its own words."""
    others = [schema for schema in schemas if schema != {"type": "null"}]
    if len(others) == len(schemas):
        return {"anyOf": others}
    if len(others) == 1 and "type" in others[0] and "enum" not in others[0]:
        return {**others[0], "type": [others[0]["type"], "null"]}
    return {"anyOf": [*others, {"type": "null"}]}
