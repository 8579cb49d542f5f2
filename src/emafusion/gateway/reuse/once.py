"""Idempotency keys: a request that is sent again with the same key is answered once.

Who retries after a broken connection gets the answer that was made, and pays for it once. Two at
the same time share one answer. What failed is not kept: the next try is a new one.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from emafusion.domain.errors import BadInput
from emafusion.domain.outcome import Outcome
from emafusion.gateway.reuse.fingerprint import Fingerprint
from emafusion.gateway.reuse.kept import worth_keeping
from emafusion.gateway.reuse.shelf import Shelf

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


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Done:
    request: Fingerprint
    outcome: Outcome


def _size(done: _Done) -> int:
    kept = worth_keeping(done.outcome)
    return 0 if kept is None else kept.size


@dataclass(slots=True, eq=False)
class Once:
    """Remembers what was answered under which idempotency key, for a day."""

    _done: Shelf[tuple[str, str], _Done] = field(
        default_factory=lambda: Shelf(ttl_s=KEPT_S, max_bytes=MAX_BYTES, size=_size)
    )
    _under_way: dict[tuple[str, str], tuple[Fingerprint, asyncio.Future[None]]] = field(
        default_factory=dict[tuple[str, str], tuple[Fingerprint, asyncio.Future[None]]]
    )

    async def answer(
        self,
        key: tuple[str, str],
        request: Fingerprint,
        make: Callable[[], Awaitable[Outcome]],
    ) -> tuple[Outcome, bool]:
        """The outcome under this key (owner and idempotency key), and whether it was there before.

        Raises `Reused` where the key came with another request.
        """
        while (going := self._under_way.get(key)) is not None:
            _check(going[0], request)
            await asyncio.shield(going[1])
        done = self._done.get(key, time.monotonic())
        if done is not None:
            _check(done.request, request)
            return done.outcome, True
        ended = asyncio.get_running_loop().create_future()
        self._under_way[key] = (request, ended)
        try:
            outcome = await make()
            if worth_keeping(outcome) is not None:
                self._done.put(key, _Done(request=request, outcome=outcome), time.monotonic())
            return outcome, False
        finally:
            del self._under_way[key]
            ended.set_result(None)


def _check(known: Fingerprint, request: Fingerprint) -> None:
    if known != request:
        raise Reused("this key came before with another request; use a new one", where=HEADER)
