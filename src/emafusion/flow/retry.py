"""Retry: the same candidate again after a failure that may pass. Falling back is the policy's."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow, Wait, call


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to try again.

    `retries` >= 0; waits double from `first_wait_s`; a provider that asks for more than
    `max_wait_s` seconds is not waited for: somebody else may answer sooner.
    """

    retries: int = 1
    first_wait_s: float = 0.2
    max_wait_s: float = 2.0


ROUTED = Patience()
DIRECT = Patience(retries=3, first_wait_s=0.5, max_wait_s=20.0)


def persist(command: Call, patience: Patience = ROUTED) -> Flow[tuple[Attempt, ...]]:
    """Call until a reply, a final failure or the end of patience; every attempt is returned.

    What the client has seen part of is not tried again: it could not be taken back.
    """
    attempts = [(yield from call(command))]
    for tried in range(patience.retries):
        wait_s = _wait_s(attempts[-1], tried, patience)
        if wait_s is None:
            break
        yield Wait(seconds=wait_s)
        attempts.append((yield from call(command)))
    return tuple(attempts)


def _wait_s(attempt: Attempt, tried: int, patience: Patience) -> float | None:
    failure = attempt.failure
    if failure is None or not failure.retryable or attempt.sent_live:
        return None
    wait_s = max(patience.first_wait_s * 2**tried, failure.retry_after_s or 0.0)
    return wait_s if wait_s <= patience.max_wait_s else None
