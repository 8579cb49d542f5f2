"""Counters in SQLite, shared by every process that opens the file."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from emafusion.store.keys.ports import (
    FORGET_HOLD_S,
    Charge,
    Counter,
    Level,
    Reservation,
    fits,
)
from emafusion.store.keys.sqlite_file import KeysFile

_LEVEL = """
    SELECT
        coalesce((SELECT used FROM counters WHERE name = ?1 AND starts_s = ?2), 0.0),
        coalesce((SELECT sum(amount) FROM holds
                  WHERE name = ?1 AND starts_s = ?2 AND until_s > ?3), 0.0)"""

_ADD = """
    INSERT INTO counters (name, starts_s, forget_s, used) VALUES (?, ?, ?, ?)
    ON CONFLICT (name, starts_s) DO UPDATE SET used = used + excluded.used"""

_HOLD = "INSERT INTO holds (name, starts_s, hold, amount, until_s) VALUES (?, ?, ?, ?, ?)"

TIDY_EVERY_S = 60.0


class SQLiteMeter:
    """A `Meter` in a file."""

    def __init__(self, file: KeysFile) -> None:
        self._file = file
        self._tidied_s = 0.0

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""

        def work(connection: sqlite3.Connection) -> Reservation:
            self._tidy(connection, now_s)
            levels = _levels(connection, (charge.counter for charge in charges), now_s)
            for place, (charge, level) in enumerate(zip(charges, levels, strict=True)):
                if not fits(charge, level):
                    return Reservation(levels=levels, refused=place)
            connection.executemany(_HOLD, [_held(hold, each, until_s) for each in charges])
            return Reservation(levels=_with(levels, charges))

        return await self._file.write(work)

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent."""

        def work(connection: sqlite3.Connection) -> bool:
            if hold is not None:
                ended = connection.execute("DELETE FROM holds WHERE hold = ?", (hold,))
                if ended.rowcount == 0:
                    return False
            connection.executemany(_ADD, [_spent(charge) for charge in spent])
            self._tidy(connection, now_s)
            return True

        return await self._file.write(work)

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        nothing = (Level(),) * len(counters)
        return await self._file.read(lambda link: _levels(link, counters, now_s), empty=nothing)

    async def close(self) -> None:
        """Let go of the file."""
        await self._file.close()

    def _tidy(self, connection: sqlite3.Connection, now_s: float) -> None:
        """Now and then forget what nobody will ask for."""
        if now_s < self._tidied_s + TIDY_EVERY_S:
            return
        self._tidied_s = now_s
        connection.execute("DELETE FROM counters WHERE forget_s < ?", (now_s,))
        connection.execute("DELETE FROM holds WHERE until_s < ?", (now_s - FORGET_HOLD_S,))


def _levels(
    connection: sqlite3.Connection, counters: Iterable[Counter], now_s: float
) -> tuple[Level, ...]:
    return tuple(_level(connection, counter, now_s) for counter in counters)


def _level(connection: sqlite3.Connection, counter: Counter, now_s: float) -> Level:
    used, held = _plain(connection, counter, now_s)
    share = counter.share_before(now_s)
    if share > 0.0:
        used_before, held_before = _plain(connection, counter.before, now_s)
        used, held = used + share * used_before, held + share * held_before
    return Level(used=used, held=held)


def _plain(connection: sqlite3.Connection, counter: Counter, now_s: float) -> tuple[float, float]:
    row = connection.execute(_LEVEL, (counter.name, counter.starts_s, now_s)).fetchone()
    return float(row[0]), float(row[1])


def _held(hold: str, charge: Charge, until_s: float) -> tuple[str, float, str, float, float]:
    return charge.counter.name, charge.counter.starts_s, hold, charge.amount, until_s


def _spent(charge: Charge) -> tuple[str, float, float, float]:
    counter = charge.counter
    return counter.name, counter.starts_s, counter.forget_s, charge.amount


def _with(levels: tuple[Level, ...], charges: tuple[Charge, ...]) -> tuple[Level, ...]:
    return tuple(
        Level(used=level.used, held=level.held + charge.amount)
        for level, charge in zip(levels, charges, strict=True)
    )
