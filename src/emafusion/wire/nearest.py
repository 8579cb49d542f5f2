"""The known name that a misspelt one probably means."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


def unknown_name(name: str, known: Iterable[str], /) -> str:
    """Say that `name` is not known, and which known one is nearest.

    >>> unknown_name("qualty_weight", ["quality_weight", "session"])
    "unknown option 'qualty_weight'; did you mean 'quality_weight'?"
    """
    names = sorted(known)
    near = get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(names)}"
    return f"unknown option {name[:60]!r}; {hint}"
