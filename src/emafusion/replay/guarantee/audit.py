"""Audit while serving: a promise is watched on a random share of answers, and alarms may be final.

Losses L of audited answers are bet to exceed the promised limit a. As long as the promise holds,
the gambler's wealth reaches 1/delta with probability delta at most, however long one watches.
"""

from __future__ import annotations

from msgspec import Struct

from emafusion.replay.guarantee.betting import Wealth


class Audit(Struct, frozen=True, kw_only=True):
    """State of one audit.

    `limit`: promised mean loss, 0..1; `delta`: chance of a false alarm over its whole life.
    """

    limit: float
    delta: float
    wealth: Wealth

    @classmethod
    def start(cls, limit: float, delta: float) -> Audit:
        """Begin. Raises `ValueError` unless both are between 0 and 1.

        >>> audit = Audit.start(0.05, 0.05)
        >>> for _ in range(30):
        ...     audit = audit.see(1.0)
        >>> audit.alarmed
        True
        """
        if not (0.0 < limit < 1.0 and 0.0 < delta < 1.0):
            msg = f"limit and delta must be between 0 and 1, got {limit} and {delta}"
            raise ValueError(msg)
        return cls(limit=limit, delta=delta, wealth=Wealth(low=-limit))

    def see(self, loss: float) -> Audit:
        """Take in the loss of one audited answer, 0..1."""
        return Audit(limit=self.limit, delta=self.delta, wealth=self.wealth.see(loss - self.limit))

    @property
    def alarmed(self) -> bool:
        """Whether the promise is refuted; stays so."""
        return self.wealth.peak >= 1.0 / self.delta
