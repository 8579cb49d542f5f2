"""Answers that are shared with other processes, which may be out of reach.

Then each process goes on by itself, and does not ask again for some seconds: nobody's answer is to
be late because it cannot be shared.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Awaitable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Final, TypeVar

from emafusion.domain.errors import Unready
from emafusion.store.answers.ports import Answers, Entry

T = TypeVar("T")

CLAIM_S: Final = 12.0
"""Seconds that a claim stands without being renewed; it is, several times in that time."""

REST_S: Final = 5.0
"""Seconds in which nothing is shared after that failed."""

_SOON_S, _LATER_S = 0.02, 0.25

_log = logging.getLogger("emafusion")


@dataclass(slots=True, kw_only=True, eq=False)
class Together:
    """Shares answers. `worker`: what only this process is called."""

    answers: Answers
    worker: str = field(default_factory=lambda: secrets.token_hex(8))
    _rests_until: float = 0.0
    _keeping: set[asyncio.Future[None]] = field(default_factory=set[asyncio.Future[None]])

    async def find(self, name: bytes) -> bytes | None:
        """The value under a name; None where there is none or it cannot be known."""
        return None if self._rests else await self._tried(self.answers.find(name))

    async def keep(self, name: bytes, entry: Entry, *, lasts_s: float) -> None:
        """Keep a value, if that is possible now."""
        if not self._rests:
            await self._tried(self.answers.keep(name, entry, lasts_s=lasts_s))

    def keep_soon(self, name: bytes, entry: Entry, *, lasts_s: float) -> None:
        """Keep a value, without waiting for it."""
        if not self._rests:
            task = asyncio.ensure_future(self.keep(name, entry, lasts_s=lasts_s))
            self._keeping.add(task)
            task.add_done_callback(self._keeping.discard)

    async def stands(self, name: bytes, request: bytes) -> Entry | None:
        """What stands under a name; where nothing does, from now on a claim of this process.

        None where it cannot be known: then it is as if there were no others.
        """
        claim = Entry(request=request, worker=self.worker)
        if self._rests:
            return None
        return await self._tried(self.answers.claim(name, claim, lasts_s=CLAIM_S))

    @asynccontextmanager
    async def holding(self, name: bytes) -> AsyncGenerator[None]:
        """While inside, our claim stands; after that it is free where nothing was kept."""
        renewing = asyncio.ensure_future(self._renew(name))
        try:
            yield
        finally:
            renewing.cancel()
            if not self._rests:
                await asyncio.shield(self._tried(self.answers.free(name, self.worker)))

    async def close(self) -> None:
        """Wait for what is being kept, and let go of it."""
        if self._keeping:
            await asyncio.wait(self._keeping)
        await self.answers.close()

    @property
    def _rests(self) -> bool:
        return time.monotonic() < self._rests_until

    async def _renew(self, name: bytes) -> None:
        while True:
            await asyncio.sleep(CLAIM_S / 4)
            with suppress(Unready):
                await self.answers.hold(name, self.worker, lasts_s=CLAIM_S)

    async def _tried(self, asked: Awaitable[T]) -> T | None:
        try:
            return await asked
        except Unready as error:
            _log.warning("%s; answers are not shared for %g s", error, REST_S)
            self._rests_until = time.monotonic() + REST_S
            return None


async def patience(tries: int, until_s: float) -> bool:
    """Wait a little, longer with each try; False where the time (on the loop's clock) is over."""
    left_s = until_s - asyncio.get_running_loop().time()
    if left_s <= 0:
        return False
    await asyncio.sleep(min(_SOON_S * 2 ** min(tries, 5), _LATER_S, left_s))
    return True
