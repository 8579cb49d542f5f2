"""The log as the service sees it: an answer is kept before it is given, and given all the same.

A disk that is full must not cost the client an answer that was paid for. So a row that cannot be
written is told to the operator, counted, and shown by `/ready`.
"""

from __future__ import annotations

import logging

from emafusion.domain.errors import Unready
from emafusion.domain.outcome import Outcome
from emafusion.domain.ports import Store

_log = logging.getLogger("emafusion")


class Ledger:
    """Keeps outcomes. `lost`: how many could not be; `trouble`: why the last one could not."""

    def __init__(self, store: Store) -> None:
        self.lost = 0
        self.trouble: str | None = None
        self._store = store

    async def keep(self, outcome: Outcome) -> None:
        """Return once the outcome is safe in the store, or known to be lost."""
        try:
            await self._store.append(outcome)
        except Unready as error:
            self.lost += 1
            self.trouble = str(error)
            _log.error("%s is not in the log: %s", outcome.decision_id, error)
        else:
            self.trouble = None
