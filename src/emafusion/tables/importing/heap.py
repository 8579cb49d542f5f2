"""Rows as an importer gives them, checked by the batch and put into a draft."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.tables.bad import BadRow, BadRows
from emafusion.tables.clean import clean
from emafusion.tables.columns import Shape
from emafusion.tables.draft import Draft
from emafusion.tables.importing.found import Found
from emafusion.tables.jsonl import Fields, Pile


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    source: str
    unit: str


class Heap:
    """One table being made. `bad`: where bad rows are counted.

    `keep_on`: whether good rows still matter once there was a bad one.
    """

    def __init__(self, draft: Draft, shape: Shape, *, bad: BadRows, keep_on: bool) -> None:
        self._draft = draft
        self._shape = shape
        self._bad = bad
        self._keep_on = keep_on
        self._pile = Pile(shape)
        self._place: _Place | None = None

    def add(self, found: Found, row: Fields) -> None:
        """A row that was found somewhere."""
        place = _Place(source=found.source, unit=found.unit)
        if self._place != place or self._pile.is_full:
            self.flush()
            self._place = place
        self._pile.add(found.line, row, size=found.size)

    def refuse(self, found: Found, what: str) -> None:
        """A row that cannot be used."""
        self.flush()
        self._bad.add([BadRow(source=found.source, line=found.line, what=what, unit=found.unit)])

    def flush(self) -> None:
        """Check what was added, and put the good rows into the draft."""
        if self._place is None or not self._pile.is_begun:
            return
        batch = self._pile.taken()
        checked = clean(batch, self._shape, source=self._place.source, unit=self._place.unit)
        self._bad.add(checked.bad)
        if self._keep_on or not self._bad.count:
            self._draft.add(checked.frame)
