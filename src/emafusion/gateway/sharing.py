"""What replicas and workers learn from each other: who is failing, who made which tool call."""

from __future__ import annotations

import time
from collections.abc import Callable

from typing_extensions import override

from emafusion.domain.attempt import Attempt
from emafusion.domain.outcome import Answer
from emafusion.gateway.turns import Turns
from emafusion.store.shared import BreakerTurned, Event, Shared, ToolCallMade
from emafusion.upstream.breaker import Breaker, BreakerRules
from emafusion.upstream.health import Health

Tell = Callable[[Event], None]
Clock = Callable[[], float]


class SharedHealth(Health):
    """Health that tells when a breaker opens, pauses or closes, and believes what others tell.

    Others' failures do not count towards our own: only that a breaker has turned is taken over, so
    that one replica's bad network opens no breaker elsewhere before it did there.
    """

    def __init__(
        self, tell: Tell, rules: BreakerRules | None = None, *, wall: Clock = time.time
    ) -> None:
        super().__init__(rules)
        self._tell = tell
        self._wall = wall

    @override
    def note(self, name: str, attempt: Attempt, now: float, /) -> None:
        """Learn from what came of a call, and tell if that turned its breaker."""
        before = self._breakers.get(name, self._new)
        super().note(name, attempt, now)
        after = self._breakers.get(name, self._new)
        if _stand(before) != _stand(after):
            self._tell(
                BreakerTurned(
                    name=name,
                    trips=after.trips,
                    open_s=max(0.0, after.open_until - now),
                    paused_s=max(0.0, after.paused_until - now),
                    at_s=self._wall(),
                )
            )

    def hear(self, event: BreakerTurned, now: float, /) -> None:
        """Take over what another one found; never less careful than what we know ourselves."""
        rules, age_s = self._new.rules, max(0.0, self._wall() - event.at_s)
        ours = self._breakers.get(event.name, self._new)
        if event.trips == 0 and event.paused_s <= age_s:
            if ours.phase(now) != "closed":
                self._breakers[event.name] = Breaker(rules=rules)
            return
        self._breakers[event.name] = Breaker(
            rules=rules,
            trips=max(ours.trips, event.trips),
            open_until=max(ours.open_until, now + min(event.open_s, rules.max_cool_s) - age_s),
            paused_until=max(
                ours.paused_until, now + min(event.paused_s, rules.max_cool_s) - age_s
            ),
        )


class SharedTurns(Turns):
    """Turns that tell who made a tool call, and remember what others tell."""

    __slots__ = ("_tell",)

    def __init__(self, tell: Tell) -> None:
        super().__init__()
        self._tell = tell

    @override
    def note(self, answer: Answer) -> None:
        """Remember the tool calls of an answer that was given, and tell of them."""
        super().note(answer)
        if answer.reply is None or answer.candidate is None:
            return
        for choice in answer.reply.choices:
            for made in choice.tool_calls:
                self._tell(ToolCallMade(call_id=made.id, candidate=answer.candidate))

    def hear(self, event: ToolCallMade) -> None:
        """Remember a call that was made elsewhere."""
        self.remember(event.call_id, event.candidate)


class Sharing:
    """The health and the turns of a service that shares them. `clock`: never goes back."""

    def __init__(self, shared: Shared, *, clock: Clock = time.monotonic) -> None:
        self.health = SharedHealth(shared.publish)
        self.turns = SharedTurns(shared.publish)
        self._shared = shared
        self._clock = clock

    def start(self) -> None:
        """Begin to hear."""
        self._shared.listen(self._hear)

    def _hear(self, event: Event) -> None:
        if isinstance(event, BreakerTurned):
            self.health.hear(event, self._clock())
        else:
            self.turns.hear(event)


def _stand(breaker: Breaker) -> tuple[int, float, float]:
    return breaker.trips, breaker.open_until, breaker.paused_until
