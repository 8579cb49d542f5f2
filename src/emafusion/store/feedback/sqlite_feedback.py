"""Feedback in the SQLite file of the log, where it is joined with what was answered."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final, TypeVar

import msgspec

from emafusion.store.connection import connect, open_log
from emafusion.store.errors import store_error
from emafusion.store.feedback.feedback import (
    COLUMNS,
    Feedback,
    audits_sql,
    feedback_of,
    without_words,
)

T = TypeVar("T")

PATIENCE_S = 10.0
_NAMES: Final = ", ".join(COLUMNS)
_ADD: Final = f"INSERT INTO feedback ({_NAMES}) VALUES ({', '.join('?' * len(COLUMNS))})"  # noqa: S608 - own names
_AUDITS: Final = audits_sql("", "?")
_EVERY: Final = f"SELECT {_NAMES} FROM feedback ORDER BY id"  # noqa: S608 - own names
_OF: Final = f"SELECT {_NAMES} FROM feedback WHERE decision_id = ? ORDER BY id"  # noqa: S608 - own names


class SqliteFeedback:
    """A `FeedbackStore` in the file of a log. `with_texts`: whether words are kept too."""

    def __init__(self, path: Path, *, with_texts: bool = True) -> None:
        self.path = path
        self._with_texts = with_texts
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="feedback")

    async def owner(self, decision_id: str, /) -> tuple[bool, str | None]:
        """Whether the log has this decision, and which key asked."""
        sql = "SELECT key_id FROM outcomes WHERE decision_id = ?"
        found = await self._do(lambda db: db.execute(sql, (decision_id,)).fetchone())
        return (False, None) if found is None else (True, found[0])

    async def add(self, feedback: Feedback, /) -> None:
        """Keep it."""
        await self._do(lambda db: self.add_now(db, feedback))

    async def audits(self, since: float, quality_weight: float, /) -> list[Feedback]:
        """Audits of answers given after a time at one setting, in the order they came."""
        asked = (since, quality_weight)
        found = await self._do(lambda db: db.execute(_AUDITS, asked).fetchall())
        return [feedback_of(values) for values in found]

    def add_now(self, connection: sqlite3.Connection, feedback: Feedback) -> None:
        """Keep it, by a connection at hand."""
        if not self._with_texts:
            feedback = without_words(feedback)
        connection.execute(_ADD, msgspec.structs.astuple(feedback))

    async def close(self) -> None:
        """End."""
        await asyncio.to_thread(self._thread.shutdown)

    async def _do(self, work: Callable[[sqlite3.Connection], T]) -> T:
        loop = asyncio.get_running_loop()
        return await asyncio.shield(loop.run_in_executor(self._thread, self._run, work))

    def _run(self, work: Callable[[sqlite3.Connection], T]) -> T:
        try:
            open_log(self.path)
            with closing(connect(self.path, patience_s=PATIENCE_S)) as connection:
                return work(connection)
        except sqlite3.Error as error:
            raise store_error(self.path, error, doing="use the log's feedback") from error


def opinions_of(connection: sqlite3.Connection, decision_id: str) -> list[Feedback]:
    """All feedback on one decision, oldest first."""
    return [feedback_of(values) for values in connection.execute(_OF, (decision_id,))]


def every_opinion(connection: sqlite3.Connection) -> Iterator[Feedback]:
    """All feedback there is, oldest first."""
    return map(feedback_of, connection.execute(_EVERY))
