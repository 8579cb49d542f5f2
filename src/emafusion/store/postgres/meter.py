"""Counters in PostgreSQL, for all replicas: each step is one statement, atomic on the server."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf

import msgspec

from emafusion.store.keys.ports import FORGET_HOLD_S, Charge, Counter, Level, Reservation
from emafusion.store.postgres.lane import Lane

TIDY_EVERY_S = 60.0

_RESERVE = b"SELECT used, held, fits FROM emafusion.reserve(%s, %s, %s, %s)"
_SETTLE = b"SELECT emafusion.settle(%s, %s)"
_LEVELS = b"SELECT used, held FROM emafusion.levels(%s, %s)"
_TIDY = (
    b"WITH old AS (DELETE FROM emafusion.counters WHERE forget_s < %s) "
    b"DELETE FROM emafusion.holds WHERE until_s < %s"
)


class _ChargeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A charge as the functions in the database read it; None: not at all, for ever, no limit."""

    name: str
    starts_s: float
    forget_s: float | None
    before_s: float | None = None
    share: float | None = None
    amount: float = 0.0
    most: float | None = None


class PostgresMeter:
    """A `Meter` in PostgreSQL."""

    def __init__(self, lane: Lane) -> None:
        self._lane = lane
        self._tidied_s = 0.0

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""
        await self._tidy(now_s)
        values = (hold, _document(charges, now_s), now_s, until_s)
        rows = await self._lane.ask(_RESERVE, values)
        refused = next((place for place, (_, _, fits) in enumerate(rows) if not fits), None)
        more = (0.0 if refused is not None else charge.amount for charge in charges)
        levels = tuple(
            Level(used=used, held=held + amount)
            for (used, held, _), amount in zip(rows, more, strict=True)
        )
        return Reservation(levels=levels, refused=refused)

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent."""
        rows = await self._lane.ask(_SETTLE, (hold, _document(spent, now_s)))
        return bool(rows[0][0])

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        asked = _document((Charge(counter=counter, amount=0.0) for counter in counters), now_s)
        rows = await self._lane.ask(_LEVELS, (asked, now_s))
        return tuple(Level(used=used, held=held) for used, held in rows)

    async def close(self) -> None:
        """Close its connections."""
        await self._lane.close()

    async def _tidy(self, now_s: float) -> None:
        """Now and then forget what nobody will ask for."""
        if now_s < self._tidied_s + TIDY_EVERY_S:
            return
        self._tidied_s = now_s
        await self._lane.ask(_TIDY, (now_s, now_s - FORGET_HOLD_S))


def _document(charges: Iterable[Charge], now_s: float) -> str:
    return msgspec.json.encode([_row(charge, now_s) for charge in charges]).decode()


def _row(charge: Charge, now_s: float) -> _ChargeRow:
    counter = charge.counter
    share = counter.share_before(now_s)
    return _ChargeRow(
        name=counter.name,
        starts_s=counter.starts_s,
        forget_s=_finite(counter.forget_s),
        before_s=counter.before.starts_s if share > 0.0 else None,
        share=share if share > 0.0 else None,
        amount=charge.amount,
        most=_finite(charge.limit),
    )


def _finite(number: float) -> float | None:
    return None if number == inf else number
