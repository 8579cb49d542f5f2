"""Idempotency keys: a request that is sent again with the same key is answered once.

Who retries after a broken connection gets the answer that was made, and pays for it once. Two at
the same time share one answer, also where they came to two processes. What failed is not kept: the
next try is a new one.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import blake2b

from msgspec import Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.reuse.fingerprint import Fingerprint, fingerprint
from emafusion.gateway.reuse.given import heard, told_of
from emafusion.gateway.reuse.kept import worth_keeping
from emafusion.gateway.reuse.shelf import Shelf
from emafusion.gateway.reuse.together import Together, patience
from emafusion.store.answers.ports import Entry

HEADER = "idempotency-key"
REPLAYED = ("x-emafusion-replayed", "true")
"""The header that says that an answer was made for an earlier request with the same key."""

LONGEST = 255
KEPT_S = 24 * 3600.0
MAX_BYTES = 64 * 2**20


class Reused(BadInput):
    """The same idempotency key came with another request."""

    status = 422
    code = "idempotency_key_reused"


class InUse(BadInput):
    """A request with the same idempotency key is under way, and takes longer than this one has."""

    status = 409
    code = "idempotency_key_in_use"


Make = Callable[[], Awaitable[Outcome]]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Done:
    request: Fingerprint
    outcome: Outcome


def _size(done: _Done) -> int:
    kept = worth_keeping(done.outcome)
    return 0 if kept is None else kept.size


class Try(Struct, frozen=True, kw_only=True, eq=False):
    """A request with an idempotency key. `owner`: who asks; `until_s`: how long it can wait."""

    owner: str
    key: str
    query: Query
    objective: Objective
    until_s: float = math.inf

    @property
    def name(self) -> bytes:
        """What only this key of this owner is called."""
        return blake2b(f"once\0{self.owner}\0{self.key}".encode(), digest_size=16).digest()

    @property
    def request(self) -> Fingerprint:
        """Digest of what is asked."""
        return fingerprint(self.query, self.objective, self.owner)


@dataclass(slots=True, kw_only=True, eq=False)
class Once:
    """Remembers what was answered under which idempotency key, for a day.

    `together`: shares that with other processes; None where there are none.
    """

    together: Together | None = None
    _done: Shelf[bytes, _Done] = field(
        default_factory=lambda: Shelf(ttl_s=KEPT_S, max_bytes=MAX_BYTES, size=_size)
    )
    _under_way: dict[bytes, tuple[Fingerprint, asyncio.Future[None]]] = field(
        default_factory=dict[bytes, tuple[Fingerprint, asyncio.Future[None]]]
    )

    async def answer(self, asked: Try, make: Make) -> tuple[Outcome, bool]:
        """The outcome under this key, and whether it was there before.

        Raises `Reused` where the key came with another request, and `InUse` where somebody is at it
        for longer than this request can wait.
        """
        name, request = asked.name, asked.request
        while (going := self._under_way.get(name)) is not None:
            _check(going[0], request)
            await _within(going[1], asked.until_s)
        done = self._done.get(name, time.monotonic())
        if done is not None:
            _check(done.request, request)
            return done.outcome, True
        ended = asyncio.get_running_loop().create_future()
        self._under_way[name] = (request, ended)
        try:
            outcome, again = await self._made(asked, make)
            if worth_keeping(outcome) is not None:
                self._done.put(name, _Done(request=request, outcome=outcome), time.monotonic())
            return outcome, again
        finally:
            del self._under_way[name]
            ended.set_result(None)

    async def _made(self, asked: Try, make: Make) -> tuple[Outcome, bool]:
        """The outcome that another process made, else one that is made now."""
        together, name, request = self.together, asked.name, asked.request
        if together is None:
            return await make(), False
        tries = 0
        while True:
            entry = await together.stands(name, request)
            if entry is None:
                return await make(), False
            _check(entry.request, request)
            told = entry.value
            outcome = None if told is None else heard(told, asked.query, asked.objective)
            if outcome is not None:
                return outcome, True
            if told is not None or entry.worker == together.worker:
                break
            if not await patience(tries, asked.until_s):
                raise _in_use()
            tries += 1
        async with together.holding(name):
            outcome = await make()
            told = None if worth_keeping(outcome) is None else told_of(outcome)
            if told is not None:
                kept = Entry(request=request, worker=together.worker, value=told)
                await together.keep(name, kept, lasts_s=KEPT_S)
            return outcome, False


async def _within(ended: asyncio.Future[None], until_s: float) -> None:
    """Wait until somebody has ended; raise `InUse` where that takes too long."""
    left_s = until_s - asyncio.get_running_loop().time()
    done, _ = await asyncio.wait((ended,), timeout=None if left_s == math.inf else max(left_s, 0))
    if not done:
        raise _in_use()


def _in_use() -> InUse:
    return InUse("a request with this key is under way; try again later", where=HEADER)


def _check(known: Fingerprint, request: Fingerprint) -> None:
    if known != request:
        raise Reused("this key came before with another request; use a new one", where=HEADER)
