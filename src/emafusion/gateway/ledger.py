"""The log as the service sees it: an answer is kept before it is given, and given all the same.

A disk that is full must not cost the client an answer that was paid for. So a row that cannot be
written is told to the operator, counted, and shown by `/ready`.
"""

from __future__ import annotations

import asyncio
import logging
import math
from typing import Protocol, runtime_checkable

from emafusion.domain.errors import Unready
from emafusion.domain.outcome import Outcome
from emafusion.domain.ports import Store
from emafusion.store.draft import Drafts, Known
from emafusion.store.errors import Late

GRACE_S = 0.1
"""Seconds that a row gets where the request has no time left."""

PATIENT_S = 15.0
"""Seconds left from which nobody need watch: stores give up by themselves sooner than that."""

_log = logging.getLogger("emafusion")


@runtime_checkable
class CatchesUp(Protocol):
    """A store that keeps in memory what it cannot write yet; it tells of that by itself."""

    @property
    def waiting(self) -> int:
        """Outcomes that it has promised to write and not written yet."""
        ...

    @property
    def lost(self) -> int:
        """Outcomes that it has given up although it had promised to write them."""
        ...


@runtime_checkable
class Drafting(Protocol):
    """A store that takes what is known of an outcome before its answer."""

    @property
    def drafts(self) -> Drafts:
        """Where that is put."""
        ...


class Ledger:
    """Keeps outcomes. `trouble`: why the last one could not be kept at once, None if it was."""

    def __init__(self, store: Store) -> None:
        self.trouble: str | None = None
        self._lost = 0
        self._store = store
        self._late = store if isinstance(store, CatchesUp) else None
        self._drafts = store.drafts if isinstance(store, Drafting) else None

    @property
    def lost(self) -> int:
        """Answers given that are not in the log, be it for ever or until the store is back."""
        late = self._late
        return self._lost if late is None else self._lost + late.waiting + late.lost

    def ahead(self, known: Known) -> None:
        """Write down what is known already of an outcome that will come."""
        if self._drafts is not None:
            self._drafts.ahead(known)

    async def keep(self, outcome: Outcome, until_s: float = math.inf) -> None:
        """Return once the outcome is safe in the store, or known to be lost, or it is late.

        `until_s`: when a client must have its answer, on the event loop's clock. A row that could
        not be written by then may still be, but nobody waits for it.
        """
        try:
            now = asyncio.get_running_loop().time()
            if until_s > now + PATIENT_S:
                await self._store.append(outcome)
            else:
                async with asyncio.timeout_at(max(until_s, now + GRACE_S)):
                    await self._store.append(outcome)
        except Late as error:
            self.trouble = str(error)
        except Unready as error:
            self._note(outcome, str(error))
        except TimeoutError:
            self._note(outcome, "the log did not answer within the request's time")
        else:
            self.trouble = None

    def _note(self, outcome: Outcome, why: str) -> None:
        self._lost += 1
        self.trouble = why
        _log.error("%s is not in the log: %s", outcome.decision_id, why)
