"""Retry and fallback: what may be done again after a call that failed, and what that may cost.

The same candidate again is `persist`, another one is the policy's step or a fallback that the
config names. Both are asked of one allowance, so a provider that is down is not asked many times
over by every request that comes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from msgspec import Struct

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow, Wait
from emafusion.domain.errors import Cancelled, DeadlinePassed, Declined, Rejected
from emafusion.domain.evidence import CallStep, Evidence, Plan, StopStep
from emafusion.flow.hedge import Hedge, asked

Allowance = Callable[[str, float], bool]
"""Whether a candidate, by name, may be called besides what would do if all went well, after so many
seconds. Asked once for each such call, which then counts."""

Hope = Callable[[str], bool]
"""Whether somebody is finding out if a candidate, by name, is up."""

HOPE_EVERY_S, HOPES = 0.05, 200
"""How often that is asked, and how many times at most."""

_NO_FALLBACK = (Cancelled, DeadlinePassed, Declined, Rejected)
"""Failures that another model would not mend: no time, no client, or the query is wrong."""


def always(_candidate: str, _wait_s: float) -> bool:
    """Allow every call."""
    return True


def hopeless(_candidate: str) -> bool:
    """Nobody is finding out."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How often and how long to try again.

    `retries` >= 0; waits double from `first_wait_s`; a provider that asks for more than
    `max_wait_s` seconds is not waited for: somebody else may answer sooner.
    """

    retries: int = 1
    first_wait_s: float = 0.2
    max_wait_s: float = 2.0


ONE_PLACE: Mapping[str, int] = MappingProxyType({})
ROUTED = Patience()
DIRECT = Patience(retries=2, first_wait_s=0.25, max_wait_s=20.0)


class Mercy(Struct, frozen=True, kw_only=True, eq=False):
    """What a request may do besides one call.

    `allowance` is asked for all of it, again while there is `hope`; `hedge` is against silence.
    `direct`: patience with a model that the client named, `routed`: with one that was chosen.
    `places`: at how many deployments a candidate is served, by name, where there are several:
    there another one is tried at once.
    """

    allowance: Allowance = always
    hope: Hope = hopeless
    hedge: Hedge | None = None
    direct: Patience = DIRECT
    routed: Patience = ROUTED
    places: Mapping[str, int] = ONE_PLACE


PLENTY = Mercy()


def persist(command: Call, patience: Patience, mercy: Mercy = PLENTY) -> Flow[tuple[Attempt, ...]]:
    """Call until a reply, a final failure or the end of patience; every attempt is returned.

    What the client has seen part of is not tried again: it could not be taken back.
    """
    attempts = yield from asked(command, mercy.hedge)
    name = command.candidate.name
    elsewhere = mercy.places.get(name, 1) - 1
    for tried in range(elsewhere + patience.retries):
        if tried < elsewhere and can_fall_back(attempts):
            wait_s: float | None = 0.0
        else:
            wait_s = _wait_s(attempts, max(0, tried - elsewhere), patience)
        if wait_s is None or not mercy.allowance(name, wait_s):
            break
        if wait_s > 0.0:
            yield Wait(seconds=wait_s)
        attempts += yield from asked(command, None)
    return attempts


def fallback_of(plan: Plan, evidence: Evidence) -> str | None:
    """Whom the plan falls back to; None where it does not: nobody failed, or somebody answered."""
    step, attempts = plan.step, evidence.attempts
    if not attempts or not isinstance(step, CallStep):
        return None
    return None if any(attempt.reply is not None for attempt in attempts) else step.candidate


def afforded(candidate: str, mercy: Mercy) -> Flow[bool]:
    """Whether a fallback may be called, if need be after somebody has found out that it is up.

    Where many requests fail at once, so that each would have to ask somebody of whom nothing is
    known, one of them does and the others wait for what it hears.
    """
    for _ in range(HOPES):
        if mercy.allowance(candidate, 0.0):
            return True
        if not mercy.hope(candidate):
            return False
        yield Wait(seconds=HOPE_EVERY_S)
    return False


def unaffordable() -> Plan:
    """Stop: nobody answers, and no more may be asked."""
    reason = "nobody answers: no more is asked than the budget of retries allows"
    return Plan(step=StopStep(attempt=None), propensity=1.0, reason=reason)


def can_fall_back(attempts: tuple[Attempt, ...]) -> bool:
    """Whether another model may answer what these attempts did not, unseen by the client.

    >>> from emafusion.domain.errors import Overloaded
    >>> can_fall_back((Attempt(candidate="a", failure=Overloaded("busy")),))
    True
    """
    if any(attempt.reply is not None or attempt.sent_live for attempt in attempts):
        return False
    return bool(attempts) and not isinstance(attempts[-1].failure, _NO_FALLBACK)


def _wait_s(attempts: tuple[Attempt, ...], tried: int, patience: Patience) -> float | None:
    if any(attempt.reply is not None or attempt.sent_live for attempt in attempts):
        return None
    failure = attempts[-1].failure
    if failure is None or not failure.retryable:
        return None
    wait_s = max(patience.first_wait_s * 2**tried, failure.retry_after_s or 0.0)
    return wait_s if wait_s <= patience.max_wait_s else None
