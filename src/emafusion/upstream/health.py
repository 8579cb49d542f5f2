"""The health of every deployment, by what came of the calls to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.errors import Cancelled, DeadlinePassed, Garbled, Retryable, Unauthorized
from emafusion.upstream.breaker import Breaker, BreakerRules, Phase, Sign
from emafusion.upstream.headroom import Headroom

PLACE_FAILURES = 3.0
"""Failures in a row after which one of several places is left alone, at most."""

LATELY = 0.5
"""Answers, older ones counting less, from which a name has answered lately: one in 20 s."""

_FAILING = (Retryable, Unauthorized, Garbled)
_UNCLEAR = (Cancelled, DeadlinePassed)


class Health:
    """One breaker for each name; an unknown name is healthy.

    A name stands for whatever fails as one: limits and outages are mostly a model's, so the name
    of a candidate serves better than that of its account. `groups`: candidates that are served at
    several places, each with the names of those: they rest when all of their places do, and what
    comes of a call is a place's. A place is left alone after `PLACE_FAILURES`: there are others.
    `now`: seconds on a clock that never goes back. `turned`: told whenever a call opens, pauses or
    closes a breaker, with the breaker and the time.
    """

    def __init__(
        self,
        rules: BreakerRules | None = None,
        *,
        groups: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        self.groups: Mapping[str, tuple[str, ...]] = groups or {}
        self.turned: Callable[[str, Breaker, float], None] | None = None
        rules = rules or BreakerRules()
        fewer = replace(rules, failures=min(rules.failures, PLACE_FAILURES))
        self._new = Breaker(rules=rules)
        self._new_place = Breaker(rules=fewer)
        self._places = {place for places in self.groups.values() for place in places}
        self._breakers: dict[str, Breaker] = {}
        self._room: dict[str, Headroom] = {}

    def available(self, name: str, now: float, /) -> bool:
        """Whether a call may go there now. Only looks: asking takes no turn."""
        if name in self.groups:
            return any(self.available(place, now) for place in self.groups[name])
        breaker = self._breakers.get(name)
        return (breaker is None or breaker.allows(now)) and not self._is_full(name, now)

    def resting(self, now: float, /) -> frozenset[str]:
        """Names where no call may go now."""
        names = [name for name, breaker in self._breakers.items() if not breaker.allows(now)]
        if self._room:
            names += [name for name in self._room if self._is_full(name, now)]
        if names and self.groups:
            found = frozenset(names)
            names += [name for name, places in self.groups.items() if found.issuperset(places)]
        return frozenset(names)

    def pause_s(self, name: str, now: float, /) -> float:
        """Seconds for which the provider asked to be left alone, 0 if it did not."""
        if name in self.groups:
            return min(self.pause_s(place, now) for place in self.groups[name])
        breaker = self._breakers.get(name)
        return 0.0 if breaker is None else max(0.0, breaker.paused_until - now)

    def wait_s(self, name: str, now: float, /) -> float:
        """Seconds until a call may go there, 0 if it may now."""
        if name in self.groups:
            return min(self.wait_s(place, now) for place in self.groups[name])
        breaker = self._breakers.get(name)
        return 0.0 if breaker is None else breaker.wait_s(now)

    def is_proven(self, name: str, now: float, /) -> bool:
        """Whether it has answered lately and not failed since, so that more calls do no harm."""
        if name in self.groups:
            return any(self.is_proven(place, now) for place in self.groups[name])
        breaker = self._breakers.get(name)
        return breaker is not None and breaker.streak == 0 and breaker.answers(now) >= LATELY

    def stumbled(self, now: float, /) -> frozenset[str]:
        """Names whose last call failed, not long ago."""
        found = frozenset(name for name, each in self._breakers.items() if each.falters(now))
        groups = [name for name, places in self.groups.items() if found.issuperset(places)]
        return found.union(groups)

    def is_probed(self, name: str, now: float, /) -> bool:
        """Whether the next call there is the test after an outage."""
        breaker = self._breakers.get(name)
        return breaker is not None and breaker.phase(now) == "half_open" and breaker.allows(now)

    def room(self, name: str, now: float, /) -> float:
        """Share of its rate limits that is left there, in 0..1; 1 where nothing is known."""
        room = self._room.get(name)
        return 1.0 if room is None or room.until <= now else room.share

    def began(self, name: str, now: float, /) -> None:
        """A call goes there: after an outage the first one is the test, others wait for it."""
        breaker = self._breakers.get(name)
        if breaker is not None:
            self._breakers[name] = breaker.began(now)

    def note(self, name: str, attempt: Attempt, now: float, /) -> None:
        """Learn from what came of a call."""
        if name in self.groups:
            return
        breaker = self.breaker(name)
        failure = attempt.failure
        pause_s = None if failure is None else failure.retry_after_s
        after = breaker.noted(sign_of(attempt), now, pause_s=pause_s)
        self._breakers[name] = after
        if self.turned is not None and after.stand != breaker.stand:
            self.turned(name, after, now)

    def breaker(self, name: str, /) -> Breaker:
        """What is remembered of a name."""
        new = self._new_place if name in self._places else self._new
        return self._breakers.get(name, new)

    def believe(self, name: str, breaker: Breaker, /) -> None:
        """Take over what another one has found; nobody is told."""
        self._breakers[name] = breaker

    def inherit(self, before: Health, names: Iterable[str], /) -> None:
        """Remember of these names what another one remembers, under rules of our own."""
        for name in names:
            theirs = before._breakers.get(name)
            if theirs is not None and name not in self._breakers:
                self._breakers[name] = replace(theirs, rules=self.breaker(name).rules)
            room = before._room.get(name)
            if room is not None:
                self._room.setdefault(name, room)

    def heard(self, name: str, room: Headroom, /) -> None:
        """Learn what a provider says of its rate limits."""
        self._room[name] = room

    def phases(self, now: float, /) -> Mapping[str, Phase]:
        """Where every name stands of which something is known."""
        return {name: breaker.phase(now) for name, breaker in self._breakers.items()}

    def _is_full(self, name: str, now: float) -> bool:
        room = self._room.get(name)
        return room is not None and room.share <= 0.0 and now < room.until


def sign_of(attempt: Attempt, /) -> Sign:
    """What an attempt says of its deployment.

    A reply and a refusal of the query alike show that it works; a refused key or a reply that
    cannot be read shows that it does not, as does all that may pass (overload, silence, a broken
    connection). A client that left, or a deadline of our own, shows nothing.
    """
    if isinstance(attempt.failure, _UNCLEAR):
        return "unclear"
    return "failing" if isinstance(attempt.failure, _FAILING) else "alive"
