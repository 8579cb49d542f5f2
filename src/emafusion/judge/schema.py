"""Whether a JSON value fits a JSON schema that came with the request."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

import jsonschema_rs

from emafusion.judge.reading import Json, read_json

MAX_SCHEMA_BYTES = 200_000
MAX_EXPANSION = 20_000
_TOO_MUCH = MAX_EXPANSION + 1
_PATTERNS = jsonschema_rs.RegexOptions(size_limit=1 << 20)


def misfit(schema: bytes, value: Json) -> str | None:
    """Why the value does not fit: one short phrase, empty if it fits, None if nobody can tell.

    Nobody can tell where the schema itself is invalid, refers to another document (nothing is
    ever fetched), or is built to take exponential time. Patterns run on a linear-time engine.

    >>> misfit(b'{"type": "object", "required": ["city"]}', {"city": "Rome"})
    ''
    >>> misfit(b'{"type": "object", "required": ["city"]}', {})
    '"city" is a required property'
    """
    validator = _validator(schema)
    if validator is None:
        return None
    try:
        first = next(iter(validator.iter_errors(value)), None)
    except (ValueError, RecursionError):  # a value nested too deep, an integer too large
        return None
    return "" if first is None else _phrase(first)


@lru_cache(maxsize=256)
def _validator(schema: bytes) -> jsonschema_rs.Validator | None:
    parsed = read_json(schema) if len(schema) <= MAX_SCHEMA_BYTES else None
    if parsed is None or _expansion(parsed.value) > MAX_EXPANSION:
        return None
    try:
        return jsonschema_rs.validator_for(schema.decode(), offline=True, pattern_options=_PATTERNS)
    except (ValueError, jsonschema_rs.ReferencingError):
        return None


def _phrase(error: jsonschema_rs.ValidationError) -> str:
    where = "/".join(str(step) for step in error.instance_path)
    said = error.message[:160]
    return f"{where}: {said}" if where else said


def _expansion(root: Json) -> int:
    """Count the nodes of a schema with its references followed, each cycle once.

    References that branch (`a` = all of `b`, `b`; `b` = all of `c`, `c`; ...) double the work at
    every level: thirty lines can ask for 2^30 steps. What cannot be followed counts as too much.
    """
    try:
        return _count(root, root, {})
    except RecursionError:
        return _TOO_MUCH


def _count(node: Json, root: Json, known: dict[str, int]) -> int:
    total = 1
    for child in _children(node):
        total += _count(child, root, known)
        if total > MAX_EXPANSION:
            return total
    return total + sum(_followed(target, root, known) for target in _references(node))


def _followed(target: Json, root: Json, known: dict[str, int]) -> int:
    node = _resolve(root, target) if isinstance(target, str) else None
    if not isinstance(target, str) or node is None:
        return _TOO_MUCH
    if target not in known:
        known[target] = 1  # a reference into a cycle counts once
        known[target] = _count(node, root, known)
    return known[target]


def _references(node: Json) -> Iterator[Json]:
    """Targets of a schema's references; a property that happens to be called `$ref` is a dict."""
    if isinstance(node, dict):
        for key in ("$ref", "$dynamicRef", "$recursiveRef"):
            if key in node and not isinstance(node[key], dict):
                yield node[key]


def _children(node: Json) -> Iterator[Json]:
    if isinstance(node, dict):
        yield from node.values()
    elif isinstance(node, list):
        yield from node


def _resolve(root: Json, pointer: str) -> Json:
    """The node that a local pointer such as `#/$defs/city` names; None if it names none."""
    if not pointer.startswith("#") or not isinstance(root, dict):
        return None
    node: Json = root
    for step in pointer[1:].split("/")[1:] if pointer != "#" else ():
        name = step.replace("~1", "/").replace("~0", "~")
        node = _step(node, name)
    return node if pointer == "#" or pointer.startswith("#/") else None


def _step(node: Json, name: str) -> Json:
    if isinstance(node, list) and name.isdigit() and int(name) < len(node):
        return node[int(name)]
    return node.get(name) if isinstance(node, dict) else None
