"""Keys and counters of one process, gone with it: for tests, and where nothing need last."""

from __future__ import annotations

from dataclasses import dataclass, field

from msgspec import Struct
from msgspec.structs import replace

from emafusion.domain.errors import BadInput
from emafusion.store.keys.key import Key
from emafusion.store.keys.ports import (
    FORGET_HOLD_S,
    Charge,
    Counter,
    Level,
    Reservation,
    fits,
)


def name_taken(name: str) -> BadInput:
    """The error for a name that another key has."""
    return BadInput(f"there is a key named {name[:80]!r} already", where="name")


@dataclass(slots=True, eq=False)
class MemoryKeyStore:
    """A `KeyStore` in memory."""

    _keys: dict[str, Key] = field(default_factory=dict[str, Key])
    _digests: dict[bytes, tuple[str, float | None]] = field(
        default_factory=dict[bytes, tuple[str, float | None]]
    )

    async def make(self, key: Key, digest: bytes, /) -> None:
        """Keep a new key. Raises `BadInput` where its name is taken."""
        self._refuse_taken(key)
        self._keys[key.id] = key
        self._digests[digest] = (key.id, None)

    async def list_all(self) -> tuple[Key, ...]:
        """Every key, oldest first."""
        return tuple(sorted(self._keys.values(), key=lambda key: (key.created_at, key.id)))

    async def get(self, key_id: str, /) -> Key | None:
        """The key of this id."""
        return self._keys.get(key_id)

    async def edit(self, key: Key, /) -> bool:
        """Put other settings under its id."""
        old = self._live(key.id)
        if old is None:
            return False
        self._refuse_taken(key)
        self._keys[key.id] = replace(key, created_at=old.created_at, revoked_at=None)
        return True

    async def revoke(self, key_id: str, /, *, now_s: float) -> bool:
        """End a key for ever."""
        old = self._live(key_id)
        if old is None:
            return False
        self._keys[key_id] = replace(old, revoked_at=now_s)
        return True

    async def rotate(self, key_id: str, digest: bytes, /, *, old_until_s: float) -> bool:
        """Give a key another secret."""
        if self._live(key_id) is None:
            return False
        for old, (owner, until_s) in self._digests.items():
            if owner == key_id:
                ends_s = old_until_s if until_s is None else min(until_s, old_until_s)
                self._digests[old] = (owner, ends_s)
        self._digests[digest] = (key_id, None)
        return True

    async def find(self, digest: bytes, /, *, now_s: float) -> Key | None:
        """The key whose secret has this digest."""
        owner, until_s = self._digests.get(digest, ("", None))
        return None if until_s is not None and now_s >= until_s else self._keys.get(owner)

    async def close(self) -> None:
        """Nothing is held."""

    def _live(self, key_id: str) -> Key | None:
        key = self._keys.get(key_id)
        return None if key is None or key.revoked_at is not None else key

    def _refuse_taken(self, key: Key) -> None:
        for other in self._keys.values():
            if other.name == key.name and other.id != key.id and other.revoked_at is None:
                raise name_taken(key.name)


_Place = tuple[str, float]
"""Name and start of a counter."""


class _Hold(Struct, frozen=True):
    charges: tuple[Charge, ...]
    until_s: float


@dataclass(slots=True, eq=False)
class MemoryMeter:
    """A `Meter` in memory."""

    _used: dict[_Place, float] = field(default_factory=dict[_Place, float])
    _forget_s: dict[_Place, float] = field(default_factory=dict[_Place, float])
    _holds: dict[str, _Hold] = field(default_factory=dict[str, _Hold])
    _tidied_s: float = 0.0

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit."""
        self._tidy(now_s)
        levels = self._levels(tuple(charge.counter for charge in charges), now_s)
        for place, (charge, level) in enumerate(zip(charges, levels, strict=True)):
            if not fits(charge, level):
                return Reservation(levels=levels, refused=place)
        self._holds[hold] = _Hold(charges, until_s)
        return Reservation(levels=_with(levels, charges))

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent."""
        self._tidy(now_s)
        if hold is not None and self._holds.pop(hold, None) is None:
            return False
        for charge in spent:
            place = _place(charge.counter)
            self._used[place] = self._used.get(place, 0.0) + charge.amount
            self._forget_s[place] = charge.counter.forget_s
        return True

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        return self._levels(counters, now_s)

    async def close(self) -> None:
        """Nothing is held open."""

    def _levels(self, counters: tuple[Counter, ...], now_s: float) -> tuple[Level, ...]:
        held = dict[_Place, float]()
        for hold in self._holds.values():
            for charge in hold.charges if hold.until_s > now_s else ():
                place = _place(charge.counter)
                held[place] = held.get(place, 0.0) + charge.amount
        return tuple(self._level(counter, held, now_s) for counter in counters)

    def _level(self, counter: Counter, held: dict[_Place, float], now_s: float) -> Level:
        here, share = _place(counter), counter.share_before(now_s)
        used, holding = self._used.get(here, 0.0), held.get(here, 0.0)
        if share > 0.0:
            before = _place(counter.before)
            used += share * self._used.get(before, 0.0)
            holding += share * held.get(before, 0.0)
        return Level(used=used, held=holding)

    def _tidy(self, now_s: float) -> None:
        """Now and then forget what nobody will ask for."""
        if now_s < self._tidied_s + 60.0:
            return
        self._tidied_s = now_s
        for place in [place for place, at_s in self._forget_s.items() if at_s < now_s]:
            del self._used[place], self._forget_s[place]
        old = [n for n, hold in self._holds.items() if hold.until_s + FORGET_HOLD_S < now_s]
        for name in old:
            del self._holds[name]


def _place(counter: Counter) -> _Place:
    return counter.name, counter.starts_s


def _with(levels: tuple[Level, ...], charges: tuple[Charge, ...]) -> tuple[Level, ...]:
    return tuple(
        Level(used=level.used, held=level.held + charge.amount)
        for level, charge in zip(levels, charges, strict=True)
    )
