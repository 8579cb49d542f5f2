"""What an importer finds in a file, and what it was asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from emafusion.tables.jsonl import Fields


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """How to read a source.

    `columns`: our column -> theirs, a dot goes into an object (kind `jsonl`); `metric`: which of
    several scores counts; `chosen_filter`: which of several readings of an answer counts (kind
    `lm-eval`); `model`: name of the model where the source says none.
    """

    columns: Mapping[str, str] = field(default_factory=dict[str, str])
    metric: str | None = None
    chosen_filter: str | None = None
    model: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One thing that was found: a row, a bad row, or something that is left out for a reason.

    `source`, `line`, `unit`: where. `row`: cells by our names, not checked yet. `grades`: rows of a
    judge table. `wrong`: why it cannot be used. `left_out`: why it is no answer of a model, in the
    plural. `size`: bytes read for it, 0 where unknown.
    """

    source: str
    line: int
    unit: str = "line"
    row: Fields | None = None
    grades: tuple[Fields, ...] = ()
    wrong: str | None = None
    left_out: str | None = None
    size: int = 0

    def being(
        self,
        *,
        row: Fields | None = None,
        grades: tuple[Fields, ...] = (),
        wrong: str | None = None,
        left_out: str | None = None,
    ) -> Found:
        """The same place with what was found there."""
        return replace(self, row=row, grades=grades, wrong=wrong, left_out=left_out)


Importer = Callable[[Sequence[Path], Wish], Iterator[Found]]
