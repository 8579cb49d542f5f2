"""What it takes to look into a log, wherever it is kept."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Protocol, Self

from emafusion.store.feedback.feedback import Feedback
from emafusion.store.filter import Filter
from emafusion.store.record import OutcomeRow, Record
from emafusion.store.table import TableRow
from emafusion.store.totals import Totals

EVERYTHING = Filter()


class Reader(Protocol):
    """Reads one log, also while gateways write to it, never more than some rows at a time.

    A context manager. `path`: where it is, for people. Every method may raise `StoreError`: the
    log cannot be read.
    """

    @property
    def path(self) -> object:
        """Where the log is, in words."""
        ...

    def rows(
        self, chosen: Filter = EVERYTHING, *, limit: int | None = None
    ) -> Iterator[OutcomeRow]:
        """Narrow rows, newest first, at most `limit`."""
        ...

    def records(self, chosen: Filter = EVERYTHING, *, limit: int | None = None) -> Iterator[Record]:
        """Whole records, newest first, at most `limit`."""
        ...

    def get(self, decision_id: str) -> Record | None:
        """The record of a decision, by its id, or the beginning or the end of it; None if none.

        Raises:
            BadInput: several ids begin or end like that.
        """
        ...

    def totals(self, chosen: Filter = EVERYTHING) -> Totals:
        """Sums, shares and percentiles."""
        ...

    def count(self, chosen: Filter = EVERYTHING) -> int:
        """Number of requests."""
        ...

    def to_outcome_rows(self, chosen: Filter = EVERYTHING) -> Iterator[TableRow]:
        """The log as an outcome table, a row for each attempt, newest request first."""
        ...

    def opinions(self, decision_id: str) -> list[Feedback]:
        """What people said of an answer, oldest first."""
        ...

    def feedback(self) -> Iterator[Feedback]:
        """What people said of all answers, oldest first."""
        ...

    def mark(self) -> int:
        """The present end of the log, for `after`."""
        ...

    def after(self, mark: int, chosen: Filter = EVERYTHING) -> tuple[int, list[Record]]:
        """Records that came after a mark, oldest first, and the mark after them."""
        ...

    def close(self) -> None:
        """Let go of the log."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
