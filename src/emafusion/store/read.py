"""Reads a log, also while a gateway writes to it. Never holds more of it than one row."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from emafusion.domain.errors import BadInput
from emafusion.store.connection import connect_read_only
from emafusion.store.errors import store_error
from emafusion.store.feedback.feedback import Feedback, scores_of
from emafusion.store.feedback.sqlite_feedback import every_opinion, opinions_of
from emafusion.store.filter import Filter, where
from emafusion.store.record import OutcomeRow, Record
from emafusion.store.rows import DETAIL_COLUMNS, OUTCOME_COLUMNS, outcome_row, record
from emafusion.store.table import TableRow, table_rows
from emafusion.store.totals import Totals, totals

_NARROW: Final = ", ".join(f"o.{name}" for name in OUTCOME_COLUMNS)
_WHOLE: Final = f"{_NARROW}, {', '.join(f'd.{name}' for name in DETAIL_COLUMNS)}"
_BOTH: Final = "outcomes o JOIN details d USING (id)"
_ALL: Final = Filter()


class LogReader:
    """Reads one log file; a context manager.

    Every method may raise `StoreError`: the file cannot be read.
    """

    def __init__(self, path: Path) -> None:
        """Open the file for reading.

        Raises:
            BadInput: there is no such file.
            StoreError: it is not ours, or of another version.
        """
        self.path = path
        self._connection = connect_read_only(path)

    def rows(self, chosen: Filter = _ALL, *, limit: int | None = None) -> Iterator[OutcomeRow]:
        """Narrow rows, newest first, at most `limit`."""
        asked = where(chosen)
        sql = f"SELECT {_NARROW} FROM {asked.tables} WHERE {asked.sql}"  # noqa: S608 - our words
        with self._reading():
            for values in self._connection.execute(f"{sql} {_newest_first(limit)}", asked.values):
                yield outcome_row(values)

    def records(self, chosen: Filter = _ALL, *, limit: int | None = None) -> Iterator[Record]:
        """Whole records, newest first, at most `limit`."""
        asked = where(chosen)
        sql = f"SELECT {_WHOLE} FROM {_BOTH} WHERE {asked.sql}"  # noqa: S608 - our own words
        with self._reading():
            for values in self._connection.execute(f"{sql} {_newest_first(limit)}", asked.values):
                yield record(values)

    def get(self, decision_id: str) -> Record | None:
        """The record of a decision, by its id, or the beginning or the end of it; None if none.

        Raises:
            BadInput: several ids begin or end like that.
        """
        sql = f"SELECT {_WHOLE} FROM {_BOTH} WHERE"  # noqa: S608 - our own words
        ways: tuple[tuple[str, tuple[str, ...]], ...] = (
            ("o.decision_id = ?", (decision_id,)),
            ("o.decision_id > ? AND o.decision_id < ?", (decision_id, f"{decision_id}\U0010ffff")),
            ("substr(o.decision_id, -?) = ?", (str(len(decision_id)), decision_id)),
        )
        for condition, values in ways if decision_id else ():
            with self._reading():
                found = self._connection.execute(f"{sql} {condition} LIMIT 2", values).fetchall()
            if len(found) > 1:
                what = "begin" if condition.startswith("o.") else "end"
                raise BadInput(f"several decisions {what} with {decision_id}, give more of it")
            if found:
                return record(found[0])
        return None

    def totals(self, chosen: Filter = _ALL) -> Totals:
        """Sums, shares and percentiles."""
        with self._reading():
            return totals(self._connection, where(chosen))

    def count(self, chosen: Filter = _ALL) -> int:
        """Number of requests."""
        asked = where(chosen)
        sql = f"SELECT count(*) FROM {asked.tables} WHERE {asked.sql}"  # noqa: S608 - our words
        with self._reading():
            return int(self._connection.execute(sql, asked.values).fetchone()[0])

    def to_outcome_rows(self, chosen: Filter = _ALL) -> Iterator[TableRow]:
        """The log as an outcome table, a row for each attempt, newest request first."""
        scores = scores_of(self.feedback())
        for found in self.records(chosen):
            yield from table_rows(found, score=scores.get(found.row.decision_id))

    def opinions(self, decision_id: str) -> list[Feedback]:
        """What people said of an answer, oldest first."""
        with self._reading():
            return opinions_of(self._connection, decision_id)

    def feedback(self) -> Iterator[Feedback]:
        """What people said of all answers, oldest first."""
        with self._reading():
            yield from every_opinion(self._connection)

    def mark(self) -> int:
        """The present end of the log, for `after`."""
        with self._reading():
            found = self._connection.execute("SELECT max(id) FROM outcomes").fetchone()
        return int(found[0] or 0)

    def after(self, mark: int, chosen: Filter = _ALL) -> tuple[int, list[Record]]:
        """Records that came after a mark, oldest first, at most 1,000, and the mark after them."""
        asked = where(chosen)
        sql = f"SELECT o.id, {_WHOLE} FROM {_BOTH} WHERE o.id > ? AND {asked.sql}"  # noqa: S608 - ours
        with self._reading():
            found = self._connection.execute(
                f"{sql} ORDER BY o.id LIMIT 1000", (mark, *asked.values)
            ).fetchall()
        return (found[-1][0] if found else mark), [record(values[1:]) for values in found]

    def close(self) -> None:
        """Let go of the file."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @contextmanager
    def _reading(self) -> Generator[None]:
        """Put what the database says into one line."""
        try:
            yield
        except sqlite3.Error as error:
            raise store_error(self.path, error, doing="read the log") from error


def _newest_first(limit: int | None) -> str:
    order = "ORDER BY o.created_at DESC, o.id DESC"
    return order if limit is None else f"{order} LIMIT {int(limit)}"
