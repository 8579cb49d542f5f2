"""The budget of retries: what may be called besides what would do if all went well.

A bucket of tokens, after gRPC's retry throttling (proposal A6) and "Site Reliability Engineering",
chapter 21: each retry, fallback and hedge takes one, each answer brings a share of one back. While
everything fails nothing comes back, so an outage is not made worse by those who try again.
"""

from __future__ import annotations


class RetryBudget:
    """A bucket of `most` tokens, full at first; an answer brings `share` (0..1) of one.

    `taken`, `refused`: how often one was asked for and was there, or was not.

    >>> budget = RetryBudget(share=0.5, most=1.0)
    >>> budget.take(), budget.take()
    (True, False)
    >>> budget.answered()
    >>> budget.answered()
    >>> budget.take()
    True
    """

    __slots__ = ("_left", "_most", "_share", "refused", "taken")

    def __init__(self, *, share: float = 0.2, most: float = 6.0) -> None:
        self.taken = self.refused = 0
        self._share = share
        self._most = most
        self._left = most

    @property
    def is_spent(self) -> bool:
        """Whether nothing more may be taken now."""
        return self._left < 1.0

    def take(self) -> bool:
        """Take a token; whether there was one."""
        if self.is_spent:
            self.refused += 1
            return False
        self._left -= 1.0
        self.taken += 1
        return True

    def answered(self) -> None:
        """A call was answered."""
        if self._left < self._most:
            self._left = min(self._most, self._left + self._share)

    def inherit(self, before: RetryBudget) -> None:
        """Begin with what another one has left, as far as there is room for it."""
        self._left = min(self._most, before._left)
