"""What follows the `?` of an address: parameters by name, checked."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import parse_qsl

from emafusion.domain.errors import BadInput

_MOST = 50


def parameters_of(text: str, known: frozenset[str]) -> Mapping[str, str]:
    """Read parameters. Raises `BadInput` for one that is not known, or comes twice.

    >>> parameters_of("limit=5&after=a%20b", frozenset({"limit", "after"}))
    {'limit': '5', 'after': 'a b'}
    """
    if not text:
        return {}
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST)
    except ValueError:
        raise BadInput(f"more than {_MOST} parameters after the '?'") from None
    found: dict[str, str] = {}
    for given, value in pairs:
        name = given.removesuffix("[]")
        if name not in known:
            raise BadInput(f"is not known here; known are {', '.join(sorted(known))}", where=name)
        if name in found and not given.endswith("[]"):
            raise BadInput("is given twice", where=name)
        found[name] = value
    return found


def count_of(parameters: Mapping[str, str], name: str, *, default: int, most: int) -> int:
    """Read a count from 1 to `most`. Raises `BadInput`."""
    text = parameters.get(name)
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
        raise BadInput(f"expected a number from 1 to {most}, got {text[:20]!r}", where=name)
    return int(text)


def choice_of(parameters: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    """Read one of some words, the first where it is not given. Raises `BadInput`."""
    text = parameters.get(name, choices[0])
    if text not in choices:
        listed = ", ".join(repr(choice) for choice in choices)
        raise BadInput(f"must be one of {listed}, got {text[:20]!r}", where=name)
    return text
