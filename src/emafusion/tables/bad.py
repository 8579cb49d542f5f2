"""Bad rows: where they are, what is wrong with them, and how they are told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from typing_extensions import override

from emafusion.domain.errors import BadInput

_NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?|nan|inf")

TOLD = 3
"""So many bad rows are told in full."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class BadRow:
    """A row that cannot be used: file, line (or row number, both from 1) and reason."""

    source: str
    line: int
    what: str
    unit: str = "line"

    @override
    def __str__(self) -> str:
        """The row as it is told.

        >>> str(BadRow(source="a.jsonl", line=3, what="model is empty"))
        'a.jsonl: line 3: model is empty'
        """
        return f"{self.source}: {self.unit} {self.line}: {self.what}"


@dataclass(slots=True, kw_only=True)
class BadRows:
    """Counts bad rows and keeps the first ones."""

    count: int = 0
    first: list[BadRow] = field(default_factory=list[BadRow])

    def add(self, rows: Iterable[BadRow]) -> None:
        """Count these too."""
        for row in rows:
            self.count += 1
            if len(self.first) < TOLD:
                self.first.append(row)

    def refuse(self) -> None:
        """Raise `BadInput` with the first ones, if there is any."""
        if self.count:
            raise BadInput(f"{self.told}; --skip-bad leaves out such rows")

    @property
    def told(self) -> str:
        """The first ones in one line, and how many more there are."""
        texts = [str(row) for row in self.first]
        more = self.count - len(texts)
        return "; ".join([*texts, *([f"and {more:,} more bad rows"] if more else [])])


def shown(value: object) -> str:
    """A cell as a message shows it, short; a number without the quotes that its file may have.

    >>> shown("x" * 100), shown("7"), shown("7 or 8")
    ("'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...", '7', "'7 or 8'")
    """
    text = repr(value[:60] if isinstance(value, str | bytes) else value)
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        text = value.strip()
    return text if len(text) <= 43 else f"{text[:40]}..."
