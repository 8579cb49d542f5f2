"""What a decoded piece of JSON is; checkers take these as proofs of its type."""

from __future__ import annotations

from typing_extensions import TypeIs


def is_object(value: object) -> TypeIs[dict[str, object]]:
    """Whether it is a JSON object, whose names are texts.

    >>> is_object({"a": 1}), is_object([])
    (True, False)
    """
    return isinstance(value, dict)


def is_list(value: object) -> TypeIs[list[object]]:
    """Whether it is a JSON array."""
    return isinstance(value, list)
