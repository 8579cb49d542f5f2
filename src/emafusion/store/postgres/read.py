"""Reads the log in PostgreSQL, also while gateways write to it; some hundred rows at a time."""

from __future__ import annotations

import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Final, Self

import psycopg

from emafusion.domain.errors import BadInput
from emafusion.store.errors import StoreError
from emafusion.store.feedback.feedback import Feedback, scores_of
from emafusion.store.filter import Filter, like
from emafusion.store.postgres.feedback import every_opinion, opinions_of
from emafusion.store.postgres.filter import where
from emafusion.store.postgres.link import connect_now, postgres_error
from emafusion.store.postgres.migrating import missing_from
from emafusion.store.postgres.rows import JSON_COLUMNS
from emafusion.store.postgres.totals import totals
from emafusion.store.reading import EVERYTHING
from emafusion.store.record import OutcomeRow, Record
from emafusion.store.rows import DETAIL_COLUMNS, OUTCOME_COLUMNS, Value, outcome_row, record
from emafusion.store.table import TableRow, table_rows
from emafusion.store.totals import Totals

_TEXT: Final = frozenset(JSON_COLUMNS)
_NARROW: Final = ", ".join(f"o.{name}" for name in OUTCOME_COLUMNS)
_WIDE: Final = ", ".join(
    f"o.{name}::text" if name in _TEXT else f"o.{name}" for name in DETAIL_COLUMNS
)
_WHOLE: Final = f"{_NARROW}, {_WIDE}"
_AT_A_TIME: Final = 200
_NEWEST_FIRST: Final = "ORDER BY o.created_at DESC, o.id DESC"

_OVERLAP: Final = 1000
_RECENT_S: Final = 86_400.0
"""Gateways that write at once commit out of the order of their numbers. So who follows looks again
at so many numbers before the last one, in rows of the last day, and skips what was seen."""


class PostgresReader:
    """Reads the log of one database; a `Reader`."""

    path = "PostgreSQL"

    def __init__(self, url: str) -> None:
        """Open it for reading.

        Raises:
            BadInput: no gateway has written there yet.
            StoreError: it cannot be reached, or is of another version.
        """
        self._connection = connect_now(url, doing="read the log")
        self._seen = set[int]()
        try:
            with self._reading():
                self._connection.execute("SET default_transaction_read_only = on")
                missing = missing_from(self._connection)
        except StoreError:
            self._connection.close()
            raise
        if missing:
            self._connection.close()
            raise BadInput(
                "no log of this version there yet; `emafusion serve` makes it", where=self.path
            )

    def rows(
        self, chosen: Filter = EVERYTHING, *, limit: int | None = None
    ) -> Iterator[OutcomeRow]:
        """Narrow rows, newest first, at most `limit`."""
        for values in self._stream(_NARROW, chosen, limit):
            yield outcome_row(values)

    def records(self, chosen: Filter = EVERYTHING, *, limit: int | None = None) -> Iterator[Record]:
        """Whole records, newest first, at most `limit`."""
        for values in self._stream(_WHOLE, chosen, limit):
            yield record(values)

    def get(self, decision_id: str) -> Record | None:
        """The record of a decision, by its id, or the beginning or the end of it; None if none.

        Raises:
            BadInput: several ids begin or end like that.
        """
        begins, ends = like(decision_id)[1:], like(decision_id)[:-1]
        ways = (("o.decision_id = %s", decision_id), ("o.decision_id LIKE %s", begins))
        for condition, value in (*ways, ("o.decision_id LIKE %s", ends)) if decision_id else ():
            sql = f"SELECT {_WHOLE} FROM emafusion.outcomes o WHERE {condition} LIMIT 2"  # noqa: S608 - our own words
            with self._reading():
                found = self._connection.execute(sql.encode(), (value,)).fetchall()
            if len(found) > 1:
                what = "begin" if value == begins else "end"
                raise BadInput(f"several decisions {what} with {decision_id}, give more of it")
            if found:
                return record(found[0])
        return None

    def totals(self, chosen: Filter = EVERYTHING) -> Totals:
        """Sums, shares and percentiles."""
        with self._reading():
            return totals(self._connection, where(chosen))

    def count(self, chosen: Filter = EVERYTHING) -> int:
        """Number of requests."""
        asked = where(chosen)
        sql = f"SELECT count(*) FROM {asked.tables} WHERE {asked.sql}"  # noqa: S608 - our own words
        with self._reading():
            found = self._connection.execute(sql.encode(), asked.values).fetchone()
        return 0 if found is None else int(found[0])

    def to_outcome_rows(self, chosen: Filter = EVERYTHING) -> Iterator[TableRow]:
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
        newest = (
            "SELECT id FROM emafusion.outcomes WHERE created_at >= %s ORDER BY id DESC LIMIT %s"
        )
        with self._reading():
            rows = self._connection.execute(newest, (_since(), _OVERLAP)).fetchall()
        self._seen = {row[0] for row in rows}
        return max(self._seen, default=0)

    def after(self, mark: int, chosen: Filter = EVERYTHING) -> tuple[int, list[Record]]:
        """Records that came after a mark, oldest first, and the mark after them."""
        asked = where(chosen)
        sql = (
            f"SELECT o.id, {_WHOLE} FROM {asked.tables} WHERE o.created_at >= %s AND o.id > %s "  # noqa: S608 - our own words
            f"AND {asked.sql} ORDER BY o.id LIMIT 2000"
        )
        with self._reading():
            values = (_since(), mark - _OVERLAP, *asked.values)
            found = self._connection.execute(sql.encode(), values).fetchall()
        fresh = [row for row in found if row[0] not in self._seen]
        mark = max((row[0] for row in fresh), default=mark)
        self._seen = {n for n in self._seen | {row[0] for row in fresh} if n > mark - _OVERLAP}
        return mark, [record(row[1:]) for row in fresh]

    def close(self) -> None:
        """Let go of the connection."""
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

    def _stream(
        self, columns: str, chosen: Filter, limit: int | None
    ) -> Iterator[tuple[Value, ...]]:
        """Rows by way of a cursor on the server: a few are here at any time."""
        asked = where(chosen)
        ends = "" if limit is None else f" LIMIT {int(limit)}"
        sql = f"SELECT {columns} FROM {asked.tables} WHERE {asked.sql} {_NEWEST_FIRST}{ends}"  # noqa: S608 - our own words
        with (
            self._reading(),
            self._connection.transaction(),
            self._connection.cursor(name="emafusion_log") as cursor,
        ):
            cursor.itersize = _AT_A_TIME
            yield from cursor.execute(sql.encode(), asked.values)

    @contextmanager
    def _reading(self) -> Generator[None]:
        """Put what PostgreSQL says into one line."""
        try:
            yield
        except psycopg.Error as error:
            raise postgres_error(error, doing="read the log") from None


def _since() -> float:
    return time.time() - _RECENT_S
