"""Who watches the gateway: everything that was done is handed on, a little later."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from emafusion.domain.errors import EmafusionError, Failure, NoCandidate
from emafusion.domain.outcome import Outcome
from emafusion.telemetry.now import Now
from emafusion.telemetry.watch import Aside


class Pages(Protocol):
    """Writes the page of metrics."""

    def page(self, now: Now, /) -> bytes:
        """Everything that was counted, and what is true now."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Watching:
    """Hands on outcomes and refusals. `under_way`: how many requests are being answered."""

    aside: Aside = field(default_factory=lambda: Aside(()))
    pages: Pages | None = None
    under_way: Callable[[], int] = int

    def answered(self, outcome: Outcome) -> None:
        """An outcome is in the log."""
        if self.aside.watchers:
            self.aside.answered(outcome)

    def refused(self, error: EmafusionError, status: int) -> None:
        """A request was answered by an error; those that have an outcome are told by that."""
        if self.aside.watchers and not isinstance(error, Failure | NoCandidate):
            self.aside.refused(status, error.code)
