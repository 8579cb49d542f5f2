"""What replicas and workers learn from each other: who is failing, who made which tool call."""

from __future__ import annotations

import time
from collections.abc import Callable

from msgspec.structs import replace
from typing_extensions import override

from emafusion.domain.outcome import Answer
from emafusion.gateway.turns import Turns
from emafusion.store.shared import BreakerTurned, Event, Shared, ToolCallMade
from emafusion.upstream.breaker import Breaker
from emafusion.upstream.health import Health

Clock = Callable[[], float]


class SharedTurns(Turns):
    """Turns that tell who made a tool call, and remember what others tell."""

    __slots__ = ("_tell",)

    def __init__(self, tell: Callable[[Event], None]) -> None:
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


class Sharing:
    """Joins the health and the turns of a service with those of others.

    Others' failures do not count towards our own: only that a breaker has turned is taken over, so
    that one replica's bad network opens no breaker elsewhere before it did there. `clock`: that of
    the health, `wall`: Unix seconds.
    """

    def __init__(
        self,
        shared: Shared,
        health: Health,
        *,
        clock: Clock = time.monotonic,
        wall: Clock = time.time,
    ) -> None:
        self.turns = SharedTurns(shared.publish)
        self.health = health
        self._shared = shared
        self._clock = clock
        self._wall = wall

    def start(self) -> None:
        """Begin to tell and to hear."""
        self.health.turned = self._turned
        self._shared.listen(self._hear)

    def _turned(self, name: str, breaker: Breaker, now: float) -> None:
        self._shared.publish(
            BreakerTurned(
                name=name,
                trips=breaker.trips,
                open_s=max(0.0, breaker.open_until - now),
                paused_s=max(0.0, breaker.paused_until - now),
                at_s=self._wall(),
            )
        )

    def _hear(self, event: Event) -> None:
        if isinstance(event, ToolCallMade):
            self.turns.remember(event.call_id, event.candidate)
            return
        ours = self.health.breaker(event.name)
        age_s = max(0.0, self._wall() - event.at_s)
        self.health.believe(event.name, joined(ours, event, now=self._clock(), age_s=age_s))


def joined(ours: Breaker, event: BreakerTurned, *, now: float, age_s: float) -> Breaker:
    """Our breaker with what another one told `age_s` seconds ago.

    Well again is well again; else never less careful than what we know ourselves.
    """
    if event.trips == 0 and event.paused_s <= age_s:
        return ours if ours.phase(now) == "closed" else Breaker(rules=ours.rules)
    most_s = ours.rules.max_cool_s
    return replace(
        ours,
        trips=max(ours.trips, event.trips),
        open_until=max(ours.open_until, now + min(event.open_s, most_s) - age_s),
        paused_until=max(ours.paused_until, now + min(event.paused_s, most_s) - age_s),
    )
