"""The outcome log in PostgreSQL: keeps every request that was answered, catches up after an outage.

One connection writes. While a group of rows is on its way, the next ones gather, so that a busy
gateway commits many at once and an idle one each at once. `append` returns once its row is
committed there. Where PostgreSQL does not answer, rows wait in memory, so many at most, and callers
are told at once that their row is not safe yet; when it is back they are written, in order, and a
row that may have arrived before is not written twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from dataclasses import dataclass

import psycopg

from emafusion.domain.outcome import Outcome
from emafusion.store.errors import Late, StoreError
from emafusion.store.length import is_long
from emafusion.store.postgres.link import connect, postgres_error
from emafusion.store.postgres.rows import INSERT, joined, to_document
from emafusion.store.postgres.tending import Tender
from emafusion.store.recording import Recorder

_GROUP_ROWS, _GROUP_BYTES = 500, 8 * 2**20
_RETRY_S = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_GONE = (psycopg.OperationalError, psycopg.InterfaceError, TimeoutError, OSError)
_log = logging.getLogger("emafusion")


@dataclass(slots=True, eq=False)
class _Waiting:
    """A row on its way. `written`: of who waits for it; None once they were told it is late."""

    document: bytes
    created_at: float
    written: asyncio.Future[None] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """What an outage may cost.

    `rows`, `bytes`: what may wait in memory. `patience_s`: seconds that a group of rows may take
    before PostgreSQL counts as gone; `closing_s`: to write what still waits when the gateway ends.
    """

    rows: int = 10_000
    bytes: int = 64 * 2**20
    patience_s: float = 5.0
    closing_s: float = 5.0


class PostgresLog:
    """Appends outcomes to PostgreSQL; a `Store`. Belongs to one event loop.

    `lost`: rows that were late and were given up.
    """

    def __init__(
        self,
        url: str,
        recorder: Recorder,
        *,
        tender: Tender | None = None,
        bounds: Bounds | None = None,
    ) -> None:
        self.path = "PostgreSQL"
        self.lost = 0
        self._url = url
        self.drafts = recorder.drafts
        self._record = recorder.record
        self._tender = tender
        self._bounds = bounds or Bounds()
        self._rows: deque[_Waiting] = deque()
        self._bytes = 0
        self._trouble: StoreError | None = None
        self._connection: psycopg.AsyncConnection | None = None
        self._abandoned = set[asyncio.Future[None]]()
        self._writing: asyncio.Task[None] | None = None
        self._closed = False

    @property
    def waiting(self) -> int:
        """Rows that are late: in memory, and PostgreSQL does not have them yet."""
        return sum(row.written is None for row in self._rows)

    @property
    def trouble(self) -> str | None:
        """Why rows wait; None where it works."""
        return None if self._trouble is None else str(self._trouble)

    async def append(self, outcome: Outcome) -> None:
        """Return once the outcome is committed.

        Raises:
            Late: PostgreSQL is gone; the row waits in memory and will be written when it is back.
            StoreError: the row cannot be written, or too many wait already; it is lost.
        """
        if is_long(outcome):
            document = await asyncio.to_thread(lambda: to_document(self._record(outcome)))
        else:
            document = to_document(self._record(outcome))
        if self._closed:
            raise StoreError("PostgreSQL: the log is closed")
        if len(self._rows) >= self._bounds.rows or self._bytes + len(document) > self._bounds.bytes:
            raise StoreError(f"PostgreSQL: {len(self._rows)} outcomes wait for it already")
        written = None if self._trouble else asyncio.get_running_loop().create_future()
        self._rows.append(_Waiting(document, outcome.created_at, written))
        self._bytes += len(document)
        if self._writing is None:
            self._writing = asyncio.ensure_future(self._write())
        if written is None:
            raise Late(str(self._trouble))
        await written

    async def close(self) -> None:
        """Write what waits, within some seconds, and say what could not be. May be called twice."""
        self._closed = True
        writing, self._writing = self._writing, None
        if writing is not None:
            await asyncio.wait((writing,), timeout=self._bounds.closing_s)
            writing.cancel()
            await asyncio.wait((writing,))
        if self._rows:
            self.lost += len(self._rows)
            _log.error("PostgreSQL did not come back: %d outcomes are lost", len(self._rows))
            for row in self._rows:
                _tell(row, StoreError("PostgreSQL: the log is closed"))
            self._rows.clear()
        if self._tender is not None:
            await asyncio.to_thread(self._tender.stop)
        await self._let_go()
        if self._abandoned:
            await asyncio.wait(self._abandoned)

    async def _write(self) -> None:
        """Write group after group until nothing waits."""
        failures = 0
        while self._rows:
            group = self._group()
            try:
                await self._commit(group)
            except _GONE as error:
                self._suffer(self._told(error))
                await self._let_go()
                await asyncio.sleep(_RETRY_S[min(failures, len(_RETRY_S) - 1)])
                failures += 1
            except psycopg.Error as error:
                await self._one_by_one(group, error)
                failures = 0
            except Exception as bug:  # noqa: BLE001 - the log writer: a bug costs rows, never the gateway
                _log.exception("a bug in writing to PostgreSQL")
                self._give_up(group, self._told(bug))
            else:
                self._done(group)
                failures = 0
        self._writing = None

    def _group(self) -> list[_Waiting]:
        """The rows that go next; they stay in line until they are there."""
        group, size = list[_Waiting](), 0
        for row in self._rows:
            if group and (len(group) == _GROUP_ROWS or size + len(row.document) > _GROUP_BYTES):
                break
            group.append(row)
            size += len(row.document)
        return group

    async def _commit(self, group: list[_Waiting]) -> None:
        if self._connection is None:
            async with asyncio.timeout(self._bounds.patience_s):
                self._connection = await connect(self._url)
        document = joined([row.document for row in group])
        asked = asyncio.ensure_future(self._connection.execute(INSERT, (document,)))
        try:
            done, _ = await asyncio.wait((asked,), timeout=self._bounds.patience_s)
        finally:
            if not asked.done():
                ending = asyncio.ensure_future(_abandon(self._connection, asked))
                self._connection = None
                self._abandoned.add(ending)
                ending.add_done_callback(self._abandoned.discard)
        if not done:
            raise TimeoutError
        asked.result()

    async def _one_by_one(self, group: list[_Waiting], error: psycopg.Error) -> None:
        """Some row of the group is wrong, or its day has no table yet: find out which."""
        if isinstance(error, psycopg.errors.CheckViolation):
            await self._make_days(group)
        for row in group:
            try:
                await self._commit([row])
            except _GONE:
                return  # the next round deals with it
            except psycopg.Error as wrong:
                self._give_up([row], self._told(wrong))
            else:
                self._done([row])

    async def _make_days(self, group: list[_Waiting]) -> None:
        """Make tables for rows that come late, or before the next days were made."""
        if self._tender is not None:
            with suppress(StoreError):
                await asyncio.to_thread(self._tender.make, {row.created_at for row in group})

    def _done(self, group: list[_Waiting]) -> None:
        """They are in PostgreSQL: whoever waits may go on."""
        if self._trouble is not None:
            _log.warning("PostgreSQL is back: %d outcomes that waited are written", len(self._rows))
            self._trouble = None
        for row in group:
            self._settle(row, None)

    def _give_up(self, group: list[_Waiting], error: StoreError) -> None:
        """They can never be written: told to who waits, counted where nobody does any more."""
        for row in group:
            if row.written is None:
                self.lost += 1
                _log.error("an outcome is lost: %s", error)
            self._settle(row, error)

    def _settle(self, row: _Waiting, error: StoreError | None) -> None:
        self._rows.popleft()
        self._bytes -= len(row.document)
        _tell(row, error)

    def _suffer(self, error: StoreError) -> None:
        """PostgreSQL is gone: nobody waits for it any longer, their rows do."""
        if self._trouble is None:
            _log.error("%s; outcomes wait in memory", error)
        self._trouble = error
        for row in self._rows:
            _tell(row, Late(str(error)))

    async def _let_go(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()

    def _told(self, error: Exception) -> StoreError:
        if isinstance(error, psycopg.Error):
            return postgres_error(error, doing="log an outcome")
        said = str(error)
        if isinstance(error, TimeoutError):
            said = f"no answer within {self._bounds.patience_s:g} s"
        return StoreError(f"PostgreSQL: cannot log an outcome: {said or type(error).__name__}")


async def _abandon(
    connection: psycopg.AsyncConnection, asked: asyncio.Future[psycopg.AsyncCursor]
) -> None:
    """Let go of a connection that hangs. Cancelling takes the client up to ten seconds more."""
    asked.cancel()
    await asyncio.wait((asked,))
    if not asked.cancelled():
        asked.exception()  # whatever came of it, it is too late
    await connection.close()


def _tell(row: _Waiting, error: StoreError | None) -> None:
    """Tell who waits for a row, if anybody still does, and only once."""
    written, row.written = row.written, None
    if written is None or written.done():
        return
    if error is None:
        written.set_result(None)
    else:
        written.set_exception(error)
