"""The port of whoever watches the gateway, and the watcher that puts things aside."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from emafusion.domain.outcome import Outcome

ASIDE = 20_000
"""Outcomes that wait to be looked at, at most; beyond that the oldest are counted as missed."""

SOON_S = 0.2
AT_ONCE = 50
"""Outcomes looked at in one go, so that no request waits for more than a few milliseconds."""


class Watcher(Protocol):
    """Looks at what was done. Never raises, never waits."""

    def answered(self, outcome: Outcome, /) -> None:
        """A request was answered, or it failed; it is in the log."""
        ...

    def refused(self, status: int, code: str, /) -> None:
        """A request was turned away before anybody was asked."""
        ...


@dataclass(slots=True, eq=False)
class Aside:
    """Hands everything on to others, a little later.

    `missed`: outcomes that were dropped since too many waited.
    """

    watchers: Sequence[Watcher]
    missed: int = 0
    _waiting: deque[Outcome | tuple[int, str]] = field(
        default_factory=deque[Outcome | tuple[int, str]]
    )
    _timer: asyncio.TimerHandle | None = None

    def answered(self, outcome: Outcome, /) -> None:
        """Put an outcome aside."""
        self._put(outcome)

    def refused(self, status: int, code: str, /) -> None:
        """Put a refusal aside."""
        self._put((status, code))

    def flush(self) -> None:
        """Look at all that waits, now."""
        while self._waiting:
            self._look(self._waiting.popleft())

    def _put(self, seen: Outcome | tuple[int, str]) -> None:
        if len(self._waiting) >= ASIDE:
            self._waiting.popleft()
            self.missed += 1
        self._waiting.append(seen)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SOON_S, self._some)

    def _some(self) -> None:
        for _ in range(min(AT_ONCE, len(self._waiting))):
            self._look(self._waiting.popleft())
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(0.0, self._some) if self._waiting else None

    def _look(self, seen: Outcome | tuple[int, str]) -> None:
        for watcher in self.watchers:
            if isinstance(seen, Outcome):
                watcher.answered(seen)
            else:
                watcher.refused(*seen)
