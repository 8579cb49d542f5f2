"""LiteLLM's fallbacks -> those of our models."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from emafusion.config.models import ModelEntry
from emafusion.config.nodes import Fields, Items, Node, Scalar

PLACES = ("router_settings", "litellm_settings")
"""Sections of a proxy config that may hold a list `fallbacks`."""


def with_fallbacks(
    models: Sequence[ModelEntry], root: Mapping[str, Node], plain: Callable[[str], str]
) -> tuple[tuple[ModelEntry, ...], tuple[str, ...]]:
    """The models, each with its fallbacks, and a note on each rule that could not be taken over.

    `plain`: a name as our config allows it.
    """
    names = {model.name for model in models}
    pairs = [(plain(name), plain(other)) for name, other in _pairs(root)]
    kept = [pair for pair in pairs if names.issuperset(pair) and pair[0] != pair[1]]
    found: dict[str, list[str]] = {}
    for name, other in dict.fromkeys(kept):
        found.setdefault(name, []).append(other)
    notes = (f"Not taken over: the fallback of {a} to {b}." for a, b in pairs if (a, b) not in kept)
    return tuple(replace(m, fallbacks=tuple(found.get(m.name, ()))) for m in models), tuple(notes)


def _pairs(root: Mapping[str, Node]) -> Iterator[tuple[str, str]]:
    """Each model that may fail, with each that stands in for it."""
    for place in PLACES:
        for rule in _items(_field(root.get(place), "fallbacks")):
            for field in rule.fields if isinstance(rule, Fields) else ():
                yield from ((field.name, name) for name in map(_text, _items(field.node)) if name)


def _field(node: Node | None, name: str) -> Node | None:
    fields = node.fields if isinstance(node, Fields) else ()
    return next((field.node for field in fields if field.name == name), None)


def _items(node: Node | None) -> tuple[Node, ...]:
    return node.items if isinstance(node, Items) else ()


def _text(node: Node) -> str | None:
    value = node.value if isinstance(node, Scalar) else None
    return value if isinstance(value, str) else None
