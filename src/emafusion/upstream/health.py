"""The health of every deployment, by what came of the calls to it."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.domain.attempt import Attempt
from emafusion.domain.errors import Cancelled, DeadlinePassed, Garbled, Retryable, Unauthorized
from emafusion.upstream.breaker import Breaker, BreakerRules, Phase, Sign

_FAILING = (Retryable, Unauthorized, Garbled)
_UNCLEAR = (Cancelled, DeadlinePassed)


class Health:
    """One breaker for each name; an unknown name is healthy.

    A name stands for whatever fails as one: limits and outages are mostly a model's, so the name
    of a candidate serves better than that of its account. `now`: seconds on a clock that never
    goes back.
    """

    def __init__(self, rules: BreakerRules | None = None) -> None:
        self._new = Breaker(rules=rules or BreakerRules())
        self._breakers: dict[str, Breaker] = {}

    def available(self, name: str, now: float, /) -> bool:
        """Whether a call may go there now. Only looks: asking takes no turn."""
        breaker = self._breakers.get(name)
        return breaker is None or breaker.allows(now)

    def resting(self, now: float, /) -> frozenset[str]:
        """Names where no call may go now."""
        return frozenset(
            [name for name, breaker in self._breakers.items() if not breaker.allows(now)]
        )

    def wait_s(self, name: str, now: float, /) -> float:
        """Seconds until a call may go there, 0 if it may now."""
        breaker = self._breakers.get(name)
        return 0.0 if breaker is None else breaker.wait_s(now)

    def began(self, name: str, now: float, /) -> None:
        """A call goes there: after an outage the first one is the test, others wait for it."""
        breaker = self._breakers.get(name)
        if breaker is not None:
            self._breakers[name] = breaker.began(now)

    def note(self, name: str, attempt: Attempt, now: float, /) -> None:
        """Learn from what came of a call."""
        breaker = self._breakers.get(name, self._new)
        failure = attempt.failure
        pause_s = None if failure is None else failure.retry_after_s
        self._breakers[name] = breaker.noted(sign_of(attempt), now, pause_s=pause_s)

    def phases(self, now: float, /) -> Mapping[str, Phase]:
        """Where every name stands of which something is known."""
        return {name: breaker.phase(now) for name, breaker in self._breakers.items()}


def sign_of(attempt: Attempt, /) -> Sign:
    """What an attempt says of its deployment.

    A reply and a refusal of the query alike show that it works; a refused key or a reply that
    cannot be read shows that it does not, as does all that may pass (overload, silence, a broken
    connection). A client that left, or a deadline of our own, shows nothing.
    """
    if isinstance(attempt.failure, _UNCLEAR):
        return "unclear"
    return "failing" if isinstance(attempt.failure, _FAILING) else "alive"
