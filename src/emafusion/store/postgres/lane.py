"""A few connections for short questions, shared by whoever asks; each question is one statement."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Mapping, Sequence
from typing import Final

import psycopg
from psycopg.rows import TupleRow

from emafusion.store.errors import StoreError
from emafusion.store.postgres.link import connect, postgres_error

PATIENCE_S: Final = 2.0
"""Seconds that a question may take before PostgreSQL counts as gone."""

MOST: Final = 4
"""Connections at once; more questions wait for one."""

Values = Sequence[object] | Mapping[str, object]


class Lane:
    """Asks PostgreSQL. Belongs to one event loop. `doing`: what for, in its errors."""

    def __init__(self, url: str, *, doing: str) -> None:
        self._url = url
        self._doing = doing
        self._idle: list[psycopg.AsyncConnection] = []
        self._turns = asyncio.Semaphore(MOST)
        self._ending = set[asyncio.Future[None]]()
        self._closed = False

    async def ask(self, sql: bytes, values: Values = ()) -> list[TupleRow]:
        """Rows of one statement, which is a transaction of its own; none where it gives none.

        It is done or not done as a whole also where the caller is cancelled.

        Raises:
            StoreError: PostgreSQL is gone, or refuses.
            psycopg.IntegrityError: what is to be kept breaks a rule of the schema.
        """
        if self._closed:
            raise StoreError("PostgreSQL: is closed")
        work = asyncio.ensure_future(self._in_turn(sql, values))
        done, _ = await asyncio.wait((work,), timeout=PATIENCE_S)
        if done:
            return work.result()
        # Cancelling takes the client up to ten seconds more: that is not waited for.
        ending = asyncio.ensure_future(_end(work))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        raise StoreError(f"PostgreSQL: cannot {self._doing}: no answer within {PATIENCE_S:g} s")

    async def close(self) -> None:
        """Close every connection. May be called twice."""
        self._closed = True
        if self._ending:
            await asyncio.wait(self._ending)
        while self._idle:
            await self._idle.pop().close()

    async def _in_turn(self, sql: bytes, values: Values) -> list[TupleRow]:
        async with self._turns:
            connection = self._idle.pop() if self._idle else None
            try:
                if connection is not None and _is_over(connection):
                    await connection.close()
                    connection = None
                connection = connection or await connect(self._url)
                cursor = await connection.execute(sql, values)
                rows = await cursor.fetchall() if cursor.description else []
            except psycopg.IntegrityError:
                self._give_back(connection)
                raise
            except (psycopg.Error, OSError) as error:
                await self._drop(connection)
                raise self._told(error) from None
            except BaseException:
                await self._drop(connection)
                raise
            self._give_back(connection)
            return rows

    def _give_back(self, connection: psycopg.AsyncConnection | None) -> None:
        if connection is not None:
            self._idle.append(connection)

    async def _drop(self, connection: psycopg.AsyncConnection | None) -> None:
        """This one may be broken, and so may those that waited as long."""
        idle, self._idle = self._idle, []
        for each in (connection, *idle):
            if each is not None:
                await each.close()

    def _told(self, error: psycopg.Error | OSError) -> StoreError:
        if isinstance(error, psycopg.Error):
            return postgres_error(error, doing=self._doing)
        return StoreError(f"PostgreSQL: cannot {self._doing}: {error.strerror or error}")


def _is_over(connection: psycopg.AsyncConnection) -> bool:
    """Whether the server has ended this connection while nobody used it: there is news on it."""
    if connection.closed:
        return True
    news = select.poll()
    news.register(connection.fileno(), select.POLLIN)
    return bool(news.poll(0))


async def _end(work: asyncio.Future[list[TupleRow]]) -> None:
    work.cancel()
    await asyncio.wait((work,))
    if not work.cancelled():
        work.exception()  # whatever came of it, it is too late
