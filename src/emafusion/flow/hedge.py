"""Hedging: where the one who was asked stays silent, somebody else is asked as well.

The first to answer is taken, the other call is ended. After Dean and Barroso, "The Tail at Scale"
(CACM 2013): a second call after a delay costs little and cuts off the longest waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from msgspec.structs import replace

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call, Flow, Race, call, race
from emafusion.domain.errors import Cancelled, TimedOut
from emafusion.domain.model import Candidate

Fits = Callable[[Candidate], bool]
"""Whether a candidate may be asked this query."""


def anybody(_candidate: Candidate) -> bool:
    """Let everybody be asked."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hedge:
    """When and whom: after `after_s` seconds of silence `spare[name]` is asked besides `name`.

    A candidate that is served at several places is its own spare: another place is asked. `fits`:
    whether another one may be asked this query.
    """

    after_s: float
    spare: Mapping[str, Candidate] = field(default_factory=dict[str, Candidate])
    fits: Fits = anybody

    def besides(self, candidate: Candidate) -> Candidate | None:
        """Whom to ask besides this one; None for nobody."""
        spare = self.spare.get(candidate.name)
        if spare is None or spare.name == candidate.name or self.fits(spare):
            return spare
        return None


def asked(command: Call, hedge: Hedge | None) -> Flow[tuple[Attempt, ...]]:
    """Make a call, hedged where there is somebody to ask besides; all attempts that were begun.

    One that was beaten comes back as `TimedOut`: it was too slow, which is what it should be
    remembered for.
    """
    spare = None if hedge is None else hedge.besides(command.candidate)
    if hedge is None or spare is None:
        return ((yield from call(command)),)
    other = replace(command, candidate=spare)
    first, second = yield from race(Race(calls=(command, other), stagger_s=hedge.after_s))
    # The last one is what became of it all.
    both = (first, second) if first.reply is None else (second, first)
    begun = tuple(_beaten(attempt) for attempt in both if _was_begun(attempt))
    return begun or both[-1:]


def _was_begun(attempt: Attempt) -> bool:
    return not isinstance(attempt.failure, Cancelled) or attempt.latency_s > 0.0


def _beaten(attempt: Attempt) -> Attempt:
    if not isinstance(attempt.failure, Cancelled):
        return attempt
    return replace(attempt, failure=TimedOut("beaten: somebody else answered first"))
