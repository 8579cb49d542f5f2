"""YAML text -> nodes with their lines. No tag is ever executed; anchors and merges are followed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from math import isfinite

import yaml

from emafusion.config.nodes import Field, Fields, Items, Node, Scalar, Unreadable, Value

MOST_NODES = 20_000
"""Nodes that a config may have once its anchors are followed: no text can blow up in memory."""

DEEPEST = 20

_TAG = "tag:yaml.org,2002:"
_COLLECTIONS = {f"{_TAG}map", f"{_TAG}seq"}
_INT = re.compile(r"[-+]?(?:0|[1-9][0-9_]*)$")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*\.?[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+]?[0-9]+)?$")
_EXPONENT = re.compile(r"[-+]?[0-9]+(?:\.[0-9]*)?[eE][-+]?[0-9]+$")
"""`1e-3` is a number to everybody but YAML 1.1."""

_TRUE, _FALSE = {"true", "yes", "on"}, {"false", "no", "off"}


def from_yaml(text: str) -> Node:
    """Nodes of the one document in a YAML text; an empty text has no fields.

    Raises `Unreadable`.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        raise Unreadable(f"is not YAML: {error.problem or error.context}", line) from None
    except yaml.YAMLError as error:
        raise Unreadable(f"is not YAML: {_first_line(error)}") from None
    except RecursionError:
        raise Unreadable("is nested too deeply") from None
    return Fields((), 1) if root is None else _Walk().node(root, 0)


class _Walk:
    """One walk over a document, counting what it unfolds."""

    def __init__(self) -> None:
        self._left = MOST_NODES

    def node(self, node: yaml.Node, depth: int) -> Node:
        """Turn a YAML node into ours."""
        line = node.start_mark.line + 1
        self._left -= 1
        if depth > DEEPEST or self._left < 0:
            raise Unreadable("is nested too deeply, or its anchors unfold without end", line)
        if isinstance(node, yaml.CollectionNode) and node.tag not in _COLLECTIONS:
            raise Unreadable(f"has a tag that is not allowed here: {node.tag}", line)
        if isinstance(node, yaml.MappingNode):
            return Fields(tuple(self._fields(node, depth)), line)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(self.node(item, depth + 1) for item in node.value), line)
        if isinstance(node, yaml.ScalarNode):
            return Scalar(_value(node), line, str(node.value))
        raise Unreadable("has something that is no value, list or mapping", line)

    def _fields(self, node: yaml.MappingNode, depth: int) -> Iterator[Field]:
        """Fields of a mapping; its own win over those merged in by `<<`."""
        own: list[Field] = []
        merged: list[Field] = []
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == f"{_TAG}merge":
                merged += self._merged(value, depth + 1)
            elif isinstance(key, yaml.ScalarNode):
                own.append(Field(str(key.value), self.node(value, depth + 1), line))
            else:
                raise Unreadable("has a key that is not a name", line)
        names = {field.name for field in own}
        yield from own
        yield from _first_of_each(field for field in merged if field.name not in names)

    def _merged(self, node: yaml.Node, depth: int) -> list[Field]:
        """Fields of the mapping, or mappings, that `<<` names."""
        sources = node.value if isinstance(node, yaml.SequenceNode) else [node]
        fields: list[Field] = []
        for source in sources:
            unfolded = self.node(source, depth)
            if not isinstance(unfolded, Fields):
                raise Unreadable("merges (<<) something that is not a mapping", unfolded.line)
            fields += unfolded.fields
        return fields


def _first_of_each(fields: Iterator[Field]) -> Iterator[Field]:
    seen: set[str] = set()
    for field in fields:
        if field.name not in seen:
            seen.add(field.name)
            yield field


def _value(node: yaml.ScalarNode) -> Value:
    """Value of a scalar by its standard tag."""
    text = str(node.value)
    kind = str(node.tag).removeprefix(_TAG)
    if kind == "null":
        return None
    if kind == "bool" and text.casefold() in _TRUE | _FALSE:
        return text.casefold() in _TRUE
    is_int = kind in {"int", "float"} and _INT.match(text)
    plain = kind == "str" and node.style is None and _EXPONENT.match(text)
    if is_int or plain or (kind == "float" and _FLOAT.match(text)):
        return _number(text.replace("_", ""), node, whole=bool(is_int))
    if kind in {"str", "int", "float", "timestamp", "value"}:
        return text
    line = node.start_mark.line + 1
    raise Unreadable(f"has a tag that is not allowed here: {node.tag}", line)


def _number(text: str, node: yaml.ScalarNode, *, whole: bool) -> int | float:
    """A number; raises `Unreadable` for one that is beyond all that can be meant."""
    if not isfinite(float(text)):
        line = node.start_mark.line + 1
        raise Unreadable(f"has a number that is too large: {text[:20]}...", line)
    return int(text) if whole else float(text)


def _first_line(error: yaml.YAMLError) -> str:
    return (str(error).splitlines() or ["unknown error"])[0]
