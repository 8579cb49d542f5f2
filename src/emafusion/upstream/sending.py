"""A call under way: its clock, how much of it has been seen, and the attempt it becomes."""

from __future__ import annotations

import time

from emafusion.domain.attempt import Attempt, Reply
from emafusion.domain.command import Call
from emafusion.domain.errors import Failure
from emafusion.upstream.fold import Fold


class Sending:
    """Made when a call begins; `fold` is set as soon as it streams."""

    __slots__ = ("_began", "call", "fold")

    def __init__(self, call: Call) -> None:
        self.call = call
        self.fold: Fold | None = None
        self._began = time.perf_counter()

    def elapsed_s(self) -> float:
        """Give the seconds since the call began."""
        return time.perf_counter() - self._began

    def replied(self, reply: Reply) -> Attempt:
        """Give the attempt of a call that was answered."""
        return self._attempt(reply, None)

    def failed(self, failure: Failure) -> Attempt:
        """Give the attempt of a call that failed, perhaps after a part of it was seen."""
        return self._attempt(None, failure)

    def _attempt(self, reply: Reply | None, failure: Failure | None) -> Attempt:
        fold = self.fold
        return Attempt(
            candidate=self.call.candidate.name,
            reply=reply,
            failure=failure,
            latency_s=self.elapsed_s(),
            ttft_s=fold.ttft_s if fold else None,
            sent_live=fold.sent_live if fold else False,
        )
