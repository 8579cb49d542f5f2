"""Generations of Gemini: what their API takes differs by version, which is in the name."""

from __future__ import annotations

import re

_VERSION = re.compile(r"gemini-(\d+)(?:\.(\d+))?")
_NEWEST = (99, 0)


def generation_of(name: str, /) -> tuple[int, int]:
    """Read the version from a model's name.

    Aliases such as `gemini-flash-latest` count as the newest, other models behind this API as old.

    >>> generation_of("gemini-2.5-flash")
    (2, 5)
    """
    found = _VERSION.search(name)
    if found is None:
        return _NEWEST if "gemini" in name else (0, 0)
    return int(found.group(1)), int(found.group(2) or 0)


def signs_thoughts(name: str, /) -> bool:
    """Whether the model wants signatures and ids on the function calls of a conversation."""
    return generation_of(name) >= (3, 0)
