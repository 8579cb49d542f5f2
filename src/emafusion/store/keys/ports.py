"""Ports: where keys are kept, and counters that several processes share.

What an implementation must hold beyond its signatures is checked by `testing.check_key_store` and
`testing.check_meter`. Trouble with the place itself is a `StoreError`.
"""

from __future__ import annotations

from math import inf
from typing import Protocol

from msgspec import Struct

from emafusion.store.keys.key import Key


class KeyStore(Protocol):
    """Keeps keys by the digests (SHA-256, 32 bytes) of their secrets; secrets never come here.

    The names of keys that are not revoked differ. What a method has returned from is kept, whatever
    happens to the process, and seen by every other process at once.
    """

    async def make(self, key: Key, digest: bytes, /) -> None:
        """Keep a new key. Raises `BadInput` where its name is taken."""
        ...

    async def list_all(self) -> tuple[Key, ...]:
        """Every key, revoked ones too, oldest first."""
        ...

    async def get(self, key_id: str, /) -> Key | None:
        """The key of this id."""
        ...

    async def edit(self, key: Key, /) -> bool:
        """Put other settings under its id; whether there was such a key that is not revoked.

        `created_at` and `revoked_at` stay as they are. Raises `BadInput` where its name is taken.
        """
        ...

    async def revoke(self, key_id: str, /, *, now_s: float) -> bool:
        """End a key for ever; whether there was such a key that was not revoked."""
        ...

    async def rotate(self, key_id: str, digest: bytes, /, *, old_until_s: float) -> bool:
        """Give a key another secret; earlier ones hold until that moment, at most.

        Whether there was such a key that is not revoked.
        """
        ...

    async def find(self, digest: bytes, /, *, now_s: float) -> Key | None:
        """The key whose secret has this digest, revoked, disabled and expired ones too.

        None for a digest that nobody has, or that a rotation has ended.
        """
        ...

    async def close(self) -> None:
        """Let go of what it holds. May be called twice."""
        ...


class Counter(Struct, frozen=True, kw_only=True):
    """What is counted, in one window of time: Unix seconds, `starts_s` <= t < `ends_s`.

    `sliding`: the window before counts too, by the share of it that is less than a window ago:
    used + (1 - (t - starts_s) / length) x used before. `keep_s`: seconds after its end that it must
    still be readable.
    """

    name: str
    starts_s: float = 0.0
    ends_s: float = inf
    sliding: bool = False
    keep_s: float = 0.0

    @property
    def lasts_s(self) -> float:
        """Length of the window, seconds."""
        return self.ends_s - self.starts_s

    @property
    def before(self) -> Counter:
        """The window just before."""
        starts_s = self.starts_s - self.lasts_s
        return Counter(name=self.name, starts_s=starts_s, ends_s=self.starts_s)

    @property
    def forget_s(self) -> float:
        """When its row may be removed."""
        return self.ends_s + max(self.keep_s, self.lasts_s if self.sliding else 0.0)

    def share_before(self, now_s: float) -> float:
        """How much of the window before still counts, 0..1.

        >>> Counter(name="n", starts_s=60.0, ends_s=120.0, sliding=True).share_before(75.0)
        0.75
        """
        if not self.sliding:
            return 0.0
        return min(max(1.0 - (now_s - self.starts_s) / self.lasts_s, 0.0), 1.0)


class Charge(Struct, frozen=True, kw_only=True):
    """So much (>= 0) of a counter; `limit`: what used, held and this may be together."""

    counter: Counter
    amount: float
    limit: float = inf


class Level(Struct, frozen=True, kw_only=True):
    """How a counter stands: `used` was settled, `held` is reserved by what is under way."""

    used: float = 0.0
    held: float = 0.0

    @property
    def taken(self) -> float:
        """Both together."""
        return self.used + self.held


class Reservation(Struct, frozen=True, kw_only=True):
    """What became of a reservation.

    `refused`: index of the first charge that is beyond its limit, None where all was reserved.
    `levels`: of each charge's counter after it.
    """

    levels: tuple[Level, ...]
    refused: int | None = None


def fits(charge: Charge, level: Level) -> bool:
    """Whether a charge stays within its limit; sums of fractions may be off by a hair.

    >>> counter = Counter(name="usd")
    >>> fits(Charge(counter=counter, amount=0.1, limit=0.3), Level(used=0.1, held=0.1))
    True
    """
    return level.taken + charge.amount <= charge.limit * (1.0 + 1e-9)


class Meter(Protocol):
    """Counters that all processes share, each step of it atomic and isolated.

    In one call each counter is named once.
    """

    async def reserve(
        self, hold: str, charges: tuple[Charge, ...], /, *, now_s: float, until_s: float
    ) -> Reservation:
        """Hold all charges, or none where one would pass its limit.

        `hold`: a name for what is held, never used before. `until_s`: when it no longer counts
        although nobody settled it: its process died.
        """
        ...

    async def settle(self, hold: str | None, spent: tuple[Charge, ...], /, *, now_s: float) -> bool:
        """End a hold and count what was spent; whether that was done.

        False, and nothing is counted, where the hold was settled before: twice is once. A hold
        that `until_s` has ended can be settled for a day. `spent` may name other counters than
        were held; limits are not looked at: what is spent is spent. `hold` None: only count.
        """
        ...

    async def read(self, counters: tuple[Counter, ...], /, *, now_s: float) -> tuple[Level, ...]:
        """How counters stand."""
        ...

    async def close(self) -> None:
        """Let go of what it holds. May be called twice."""
        ...


FORGET_HOLD_S = 86_400.0
"""Seconds after `until_s` that a hold can still be settled."""
