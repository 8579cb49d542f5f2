"""Counters in Valkey, for all replicas."""

from __future__ import annotations

from collections.abc import Iterable
from math import inf
from typing import cast

import msgspec
from valkey.asyncio import Valkey

from emafusion.store.keys.ports import FORGET_HOLD_S, Charge, Counter, Level, Reservation
from emafusion.store.valkey.link import GONE, valkey_error
from emafusion.store.valkey.scripts import LEVELS, RESERVE, SETTLE

ROUTE = "{emafusion}"
"""Any key of ours: says which node of a cluster has them all."""


class _ChargeRow(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A charge as the scripts read it; what is left out is not at all, for ever, no limit."""

    place: str
    amount: float
    forget: float | None = None
    before: str | None = None
    share: float | None = None
    most: float | None = None


class ValkeyMeter:
    """A `Meter` in Valkey. What is counted there lasts as long as the server keeps it."""

    def __init__(self, client: Valkey) -> None:
        self._client = client
        self._reserve = client.register_script(RESERVE)
        self._settle = client.register_script(SETTLE)
        self._levels = client.register_script(LEVELS)

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""
        forget_s = until_s + FORGET_HOLD_S
        asked = (hold, _document(charges, now_s), _told(now_s), _told(until_s), _told(forget_s))
        try:
            answer = cast("list[bytes]", await self._reserve(keys=[ROUTE], args=asked))
        except GONE as error:
            raise valkey_error(error, doing="hold a limit") from None
        place = int(answer[0])
        refused = None if place < 0 else place
        more = (0.0 if refused is not None else charge.amount for charge in charges)
        levels = tuple(
            Level(used=level.used, held=level.held + amount)
            for level, amount in zip(_read(answer[1:]), more, strict=True)
        )
        return Reservation(levels=levels, refused=refused)

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent."""
        asked = (hold or "", _document(spent, now_s), _told(now_s))
        try:
            done = cast("int", await self._settle(keys=[ROUTE], args=asked))
        except GONE as error:
            raise valkey_error(error, doing="settle a limit") from None
        return done == 1

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        charges = (Charge(counter=counter, amount=0.0) for counter in counters)
        try:
            asked = (_document(charges, now_s), _told(now_s))
            answer = cast("list[bytes]", await self._levels(keys=[ROUTE], args=asked))
        except GONE as error:
            raise valkey_error(error, doing="read a limit") from None
        return tuple(_read(answer))

    async def close(self) -> None:
        """Close its connections."""
        await self._client.aclose(close_connection_pool=True)


def _read(numbers: list[bytes]) -> Iterable[Level]:
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    return (Level(used=float(used), held=float(held)) for used, held in pairs)


def _document(charges: Iterable[Charge], now_s: float) -> bytes:
    rows = [_row(charge, now_s) for charge in charges]
    return msgspec.json.encode(rows)


def _row(charge: Charge, now_s: float) -> _ChargeRow:
    counter = charge.counter
    share = counter.share_before(now_s)
    return _ChargeRow(
        place=_place(counter),
        amount=charge.amount,
        forget=_finite(counter.forget_s),
        before=_place(counter.before) if share > 0.0 else None,
        share=share if share > 0.0 else None,
        most=_finite(charge.limit),
    )


def _place(counter: Counter) -> str:
    return f"{counter.name}/{_told(counter.starts_s)}"


def _told(number: float) -> str:
    return f"{number:.17g}"


def _finite(number: float) -> float | None:
    return None if number == inf else number
