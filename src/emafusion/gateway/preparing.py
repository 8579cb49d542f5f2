"""While a provider works on an answer, what follows it is prepared: its log entry, its judges."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Objective
from emafusion.domain.query import Query
from emafusion.flow.parts import Parts
from emafusion.gateway.ledger import Ledger
from emafusion.store.draft import Known


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Preparing:
    """Prepares for the answer to one query; a `flow.parts.Ahead`.

    Called just before a call leaves, it waits for the next turn of the event loop: by then the
    request is written, and whoever asked waits for the provider anyway.
    """

    query: Query
    objective: Objective
    parts: Parts
    ledger: Ledger

    def __call__(self, features: Features, estimates: Estimates, /) -> None:
        """Prepare for the answer of a model that was chosen."""
        asyncio.get_running_loop().call_soon(self._routed, features, estimates)

    def named(self) -> None:
        """Prepare for the answer of a model that the client named, which nobody judges."""
        known = Known(query=self.query, objective=self.objective)
        asyncio.get_running_loop().call_soon(self.ledger.ahead, known)

    def _routed(self, features: Features, estimates: Estimates) -> None:
        known = Known(
            query=self.query, objective=self.objective, features=features, estimates=estimates
        )
        self.ledger.ahead(known)
        if self.parts.ahead is not None:
            self.parts.ahead(self.query)
