"""Reading JSON and code fences out of text that nobody vouches for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TypeAlias

import msgspec

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | float | bool | None"
"""A decoded JSON value."""

MAX_FENCES = 20
_FENCE = re.compile(r"^[ \t]*```[ \t]*([\w+#.-]*)[^\n]*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A JSON value that was read; `value` may itself be None (JSON null)."""

    value: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Fence:
    """A fenced block: its language tag in lower case (may be empty) and its body."""

    language: str
    body: str


def read_json(text: str | bytes) -> Parsed | None:
    """Parse a JSON text; None where it is not JSON, too deep, or not valid Unicode.

    >>> read_json('{"a": [1, null]}')
    Parsed(value={'a': [1, None]})
    >>> read_json("{oops}") is None
    True
    """
    try:
        return Parsed(value=msgspec.json.decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None


def fences(text: str) -> tuple[Fence, ...]:
    r"""The last fenced blocks of a text (at most 20), an unclosed one included.

    >>> fences("x\n```python\nprint(1)\n```\ny")
    (Fence(language='python', body='print(1)\n'),)
    """
    marks = list(_FENCE.finditer(text))
    blocks: list[Fence] = []
    for opening, closing in zip(marks[::2], [*marks[1::2], None], strict=False):
        end = closing.start() if closing else len(text)
        body = text[opening.end() + 1 : end]
        blocks.append(Fence(language=opening.group(1).lower(), body=body))
    return tuple(blocks[-MAX_FENCES:])
