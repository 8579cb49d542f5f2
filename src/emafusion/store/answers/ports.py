"""What keeps answers for all who share it: a cache of values, and claims on values to come.

Time is the store's own, since those who share it may have clocks that differ. Every method may
raise `StoreError`. What is kept is bounded: what would be forgotten soonest goes first.
"""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class Entry(Struct, frozen=True, kw_only=True):
    """What stands under a name.

    `request`: digest of what was asked; `worker`: who is at it, or made it; `value`: what came of
    it, None while somebody is at it.
    """

    request: bytes
    worker: str
    value: bytes | None = None


class Answers(Protocol):
    """Keeps answers. `name`: a digest that only this request has."""

    async def find(self, name: bytes, /) -> bytes | None:
        """The value under a name; None where there is none."""
        ...

    async def keep(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> None:
        """Put a value under a name for so long, in place of what is there."""
        ...

    async def claim(self, name: bytes, entry: Entry, /, *, lasts_s: float) -> Entry:
        """What stands under a name; where nothing does, this claim, which then stands so long."""
        ...

    async def hold(self, name: bytes, worker: str, /, *, lasts_s: float) -> bool:
        """Let a claim stand for so long from now; False where it is not this worker's any more."""
        ...

    async def free(self, name: bytes, worker: str, /) -> None:
        """End a claim of this worker; a value stays."""
        ...

    async def close(self) -> None:
        """Let go of it. May be called twice."""
        ...
