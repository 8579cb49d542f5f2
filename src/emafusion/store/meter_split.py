"""One meter of two: limits of the minute where that is quick, money where it lasts."""

from __future__ import annotations

from collections.abc import Callable

from emafusion.store.keys.ports import Charge, Counter, Level, Meter, Reservation

SHORT_LIVED = frozenset({"minute", "parallel"})
"""Last words of the names of counters that matter for a minute, and may be lost."""


def is_short_lived(counter: Counter) -> bool:
    """Whether a counter is of rates and requests under way, not of money and totals.

    >>> [is_short_lived(Counter(name=name)) for name in ("k/requests/minute", "k/usd/day")]
    [True, False]
    """
    return counter.name.rpartition("/")[2] in SHORT_LIVED


class SplitMeter:
    """A `Meter`: some counters in `quick`, all others in `lasting`.

    Each is atomic; together they are all or none by letting go of the first where the second
    refuses, so that for a moment another request may find the first one's limit taken.
    """

    def __init__(
        self,
        *,
        quick: Meter,
        lasting: Meter,
        is_quick: Callable[[Counter], bool] = is_short_lived,
    ) -> None:
        self._quick = quick
        self._lasting = lasting
        self._is_quick = is_quick
        self._held: dict[str, tuple[bool, bool]] = {}

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""
        quick, lasting = self._parted(charges)
        none = Reservation(levels=())
        first = second = none
        if quick:
            first = await self._quick.reserve(hold, quick, now_s=now_s, until_s=until_s)
        if first.refused is None and lasting:
            second = await self._lasting.reserve(hold, lasting, now_s=now_s, until_s=until_s)
            if second.refused is not None and quick:
                await self._quick.settle(hold, (), now_s=now_s)
        elif lasting:
            counters = tuple(charge.counter for charge in lasting)
            second = Reservation(levels=await self._lasting.read(counters, now_s=now_s))
        got = self._joined(charges, first, second)
        if got.refused is None:
            self._held[hold] = (bool(quick), bool(lasting))
        return got

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent; money first.

        What was held in one of the two alone is counted in the other all the same.
        """
        quick, lasting = self._parted(spent)
        in_quick, in_lasting = self._held.pop(hold or "", (False, False))
        if hold is not None and not in_quick and not in_lasting:
            return False  # it was settled before: who holds is also who settles
        done = await _settled(self._lasting, hold if in_lasting else None, lasting, now_s=now_s)
        also = await _settled(self._quick, hold if in_quick else None, quick, now_s=now_s)
        return done and also

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        quick = tuple(counter for counter in counters if self._is_quick(counter))
        lasting = tuple(counter for counter in counters if not self._is_quick(counter))
        first = iter(await self._quick.read(quick, now_s=now_s) if quick else ())
        second = iter(await self._lasting.read(lasting, now_s=now_s) if lasting else ())
        return tuple(next(first if self._is_quick(counter) else second) for counter in counters)

    async def close(self) -> None:
        """Close both."""
        await self._quick.close()
        await self._lasting.close()

    def _parted(self, charges: tuple[Charge, ...]) -> tuple[tuple[Charge, ...], tuple[Charge, ...]]:
        quick = tuple(charge for charge in charges if self._is_quick(charge.counter))
        return quick, tuple(charge for charge in charges if not self._is_quick(charge.counter))

    def _joined(
        self, charges: tuple[Charge, ...], first: Reservation, second: Reservation
    ) -> Reservation:
        """Levels in the order that was asked; the first place that was refused."""
        places = [self._is_quick(charge.counter) for charge in charges]
        ones, others = iter(first.levels), iter(second.levels)
        refusing, wanted = (second, False) if first.refused is None else (first, True)
        refused = None
        if refusing.refused is not None:
            refused = [n for n, is_quick in enumerate(places) if is_quick == wanted][
                refusing.refused
            ]
        levels = tuple(next(ones if is_quick else others) for is_quick in places)
        return Reservation(levels=levels, refused=refused)


async def _settled(
    meter: Meter, hold: str | None, spent: tuple[Charge, ...], *, now_s: float
) -> bool:
    return await meter.settle(hold, spent, now_s=now_s) if hold or spent else True
