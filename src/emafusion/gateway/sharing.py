"""What replicas and workers learn from each other: who is failing, and how conversations stand.

Of a conversation that is who made which tool call, and who has it in a cache.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from msgspec.structs import replace

from emafusion.gateway.turns import Turns
from emafusion.gateway.warmth import Warmth
from emafusion.store.shared import BreakerTurned, ConversationRead, Event, Shared, ToolCallMade
from emafusion.upstream.breaker import Breaker
from emafusion.upstream.health import Health

Clock = Callable[[], float]


class Sharing:
    """Joins the health, the turns and the warmth of a service with those of others.

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
        self.turns = Turns(tell=self._called)
        self.warmth = Warmth(tell=self._read)
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

    def _called(self, call_id: str, candidate: str, conversation: str) -> None:
        self._shared.publish(
            ToolCallMade(call_id=call_id, candidate=candidate, conversation=conversation)
        )

    def _read(self, conversation: str, tokens: Mapping[str, int]) -> None:
        self._shared.publish(
            ConversationRead(conversation=conversation, tokens=tokens, at_s=self._wall())
        )

    def _hear(self, event: Event) -> None:
        match event:
            case ToolCallMade():
                self.turns.remember(event.call_id, event.candidate, event.conversation)
            case ConversationRead():
                then = self._clock() - self._age_s(event.at_s)
                self.warmth.remember(event.conversation, event.tokens, now_s=then)
            case BreakerTurned():
                ours, age_s = self.health.breaker(event.name), self._age_s(event.at_s)
                self.health.believe(event.name, joined(ours, event, now=self._clock(), age_s=age_s))

    def _age_s(self, at_s: float) -> float:
        return max(0.0, self._wall() - at_s)


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
