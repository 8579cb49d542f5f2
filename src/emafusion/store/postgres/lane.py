"""A few connections for short questions, shared by whoever asks."""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final, TypeVar

import psycopg
from psycopg.rows import TupleRow

from emafusion.store.errors import StoreError
from emafusion.store.postgres.link import connect, postgres_error

PATIENCE_S: Final = 2.0
"""Seconds that a question may take before PostgreSQL counts as gone, where nothing is said."""

MOST: Final = 4
"""Connections at once; more questions wait for one."""

T = TypeVar("T")
Values = Sequence[object] | Mapping[str, object]
Work = Callable[[psycopg.AsyncConnection], Awaitable[T]]


class Lane:
    """Asks PostgreSQL. Belongs to one event loop. `doing`: what for, in its errors.

    `patience_s`: seconds that a question may take before PostgreSQL counts as gone.
    """

    def __init__(self, url: str, *, doing: str, patience_s: float = PATIENCE_S) -> None:
        self._url = url
        self._doing = doing
        self._patience_s = patience_s
        self._idle: list[psycopg.AsyncConnection] = []
        self._turns = asyncio.Semaphore(MOST)
        self._ending = set[asyncio.Future[None]]()
        self._closed = False

    async def ask(self, sql: bytes, values: Values = ()) -> list[TupleRow]:
        """Rows of one statement, which is a transaction of its own; none where it gives none.

        Raises as `do`.
        """

        async def work(connection: psycopg.AsyncConnection) -> list[TupleRow]:
            cursor = await connection.execute(sql, values)
            return await cursor.fetchall() if cursor.description else []

        return await self.do(work)

    async def do(self, work: Work[T]) -> T:
        """What some statements come to; several that belong together begin a transaction.

        They are done to their end, or not at all, also where the caller is cancelled.

        Raises:
            StoreError: PostgreSQL is gone, or refuses.
            psycopg.IntegrityError: what is to be kept breaks a rule of the schema.
        """
        if self._closed:
            raise StoreError("PostgreSQL: is closed")
        task = asyncio.ensure_future(self._in_turn(work))
        done, _ = await asyncio.wait((task,), timeout=self._patience_s)
        if done:
            return task.result()
        # Cancelling takes the client up to ten seconds more: that is not waited for.
        ending = asyncio.ensure_future(_end(task))
        self._ending.add(ending)
        ending.add_done_callback(self._ending.discard)
        raise StoreError(
            f"PostgreSQL: cannot {self._doing}: no answer within {self._patience_s:g} s"
        )

    async def close(self) -> None:
        """Close every connection. May be called twice."""
        self._closed = True
        if self._ending:
            await asyncio.wait(self._ending)
        while self._idle:
            await self._idle.pop().close()

    async def _in_turn(self, work: Work[T]) -> T:
        async with self._turns:
            connection = self._idle.pop() if self._idle else None
            try:
                if connection is not None and _is_over(connection):
                    await connection.close()
                    connection = None
                connection = connection or await connect(self._url)
                came = await work(connection)
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
            return came

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


async def _end(task: asyncio.Future[T]) -> None:
    task.cancel()
    await asyncio.wait((task,))
    if not task.cancelled():
        task.exception()  # whatever came of it, it is too late
