"""Replicas tell each other who is failing, and how conversations stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as changed

from msgspec.structs import replace
from tests.store.outcomes import answer

from emafusion.domain.attempt import Attempt, Choice, Reply, Usage
from emafusion.domain.errors import Overloaded, RateLimited
from emafusion.domain.evidence import Evidence
from emafusion.domain.model import Price
from emafusion.domain.query import Message, Query, ToolCall, ask
from emafusion.gateway.sharing import Sharing
from emafusion.store.shared import Event, Hear, Told, from_bytes, to_bytes
from emafusion.testing import making
from emafusion.upstream.health import Health


@dataclass(eq=False)
class Wire:
    """Joins replicas in one process; what is told goes by bytes, as it would between machines."""

    ears: list[tuple[object, Hear]] = field(default_factory=list[tuple[object, Hear]])
    told: list[Event] = field(default_factory=list[Event])
    wall: float = 1e9

    def replica(self, clock: Callable[[], float]) -> Sharing:
        """One more."""
        made = Sharing(Line(self), Health(), clock=clock, wall=lambda: self.wall)
        made.start()
        return made


@dataclass(eq=False)
class Line:
    """A `Shared` over the wire."""

    wire: Wire

    def listen(self, hear: Hear, /) -> None:
        """Begin to hear."""
        self.wire.ears.append((self, hear))

    def publish(self, event: Event, /) -> None:
        """Tell all others."""
        arrived = from_bytes(to_bytes(Told("x", event)))
        assert arrived is not None
        self.wire.told.append(arrived.event)
        for line, hear in self.wire.ears:
            if line is not self:
                hear(arrived.event)

    async def close(self) -> None:
        """Nothing is held."""


def failing(*, retry_after_s: float | None = None) -> Attempt:
    """A call that failed on the provider's side."""
    failure = RateLimited if retry_after_s else Overloaded
    return making.failed(failure("no", retry_after_s=retry_after_s), by="small")


def well() -> Attempt:
    """A call that was answered."""
    return Attempt(
        candidate="small",
        reply=Reply(choices=(Choice(text="yes"),), model="small"),
        cost_usd=0.0,
        latency_s=0.1,
    )


def test_a_breaker_that_opens_opens_everywhere_and_closes_everywhere() -> None:
    """Also where the clock began at another time; nothing is told of calls that turn nothing."""
    wire = Wire()
    one, two = wire.replica(lambda: 1000.0), wire.replica(lambda: 5.0)
    for _ in range(4):
        one.health.note("small", failing(), 1000.0)
    assert wire.told == []
    one.health.note("small", failing(), 1000.0)
    assert one.health.resting(1000.0) == two.health.resting(5.0) == {"small"}
    assert two.health.phases(5.0 + 5.1) == {"small": "half_open"}
    two.health.note("small", well(), 5.0 + 5.1)
    assert one.health.phases(1000.0) == {"small": "closed"}
    assert len(wire.told) == 2


def test_a_pause_that_a_provider_asked_for_holds_for_all() -> None:
    """Retry-After is the account's, not the replica's."""
    wire = Wire()
    one, two = wire.replica(lambda: 0.0), wire.replica(lambda: 0.0)
    one.health.note("small", failing(retry_after_s=7.0), 0.0)
    assert two.health.resting(6.9) == {"small"}
    assert two.health.resting(7.1) == frozenset()


def test_what_is_heard_late_ends_when_it_should() -> None:
    """Seconds that have passed since are taken off."""
    wire = Wire()
    one = wire.replica(lambda: 0.0)
    one.health.note("small", failing(retry_after_s=7.0), 0.0)
    wire.wall += 5.0
    late = wire.replica(lambda: 0.0)
    wire.ears[-1][1](wire.told[0])
    assert late.health.resting(1.9) == {"small"}
    assert late.health.resting(2.1) == frozenset()


def test_a_tool_loop_stays_with_its_model_at_every_replica() -> None:
    """The answer to a tool call goes to who made it, whichever replica it comes to."""
    wire = Wire()
    one, two = wire.replica(lambda: 0.0), wire.replica(lambda: 0.0)
    call = ToolCall(id="call-1", name="look", arguments="{}")
    given = answer(candidate="large")
    one.turns.note(
        replace(given, reply=Reply(choices=(Choice(text="", tool_calls=(call,)),), model="large")),
        "talk-7",
    )
    pool = (making.candidate("small"), making.candidate("large"))
    assert [c.name for c in two.turns.keep(answering("call-1"), "talk-7", pool)] == ["large"]
    assert two.turns.keep(answering("call-2"), "talk-7", pool) == pool


def test_who_has_a_conversation_in_its_cache_is_known_everywhere() -> None:
    """For as long as it was there, not for as long as it was heard of."""
    wire = Wire()
    one, two = wire.replica(lambda: 1000.0), wire.replica(lambda: 5.0)
    dear = making.candidate("dear")
    price = Price(prompt_usd_per_mtok=2.0, cached_prompt_usd_per_mtok=0.2)
    dear = changed(dear, model=changed(dear.model, price=price))
    usage = Usage(prompt_tokens=5_000, completion_tokens=5)
    read = Attempt(
        candidate="dear", reply=Reply(choices=(Choice(text="yes"),), model="dear", usage=usage)
    )
    evidence = Evidence(attempts=(read,))
    one.warmth.note("talk-7", evidence, candidates=(dear,), now_s=1000.0)
    wire.wall += 100.0
    late = wire.replica(lambda: 0.0)
    wire.ears[-1][1](wire.told[0])
    for warmth, left_s in ((two.warmth, 304.9), (late.warmth, 199.9)):
        assert dict(warmth.of("talk-7", now_s=left_s)) == {"dear": 5_000}
        assert not warmth.of("talk-7", now_s=left_s + 0.2)


def answering(call_id: str) -> Query:
    """A query that answers a tool call."""
    asked = ask("Look.")
    return changed(asked, messages=(*asked.messages, Message(role="tool", tool_call_id=call_id)))


def test_a_line_of_another_version_is_passed_over() -> None:
    """What nobody knows is nothing."""
    assert from_bytes(b'["x",{"type":"later"}]') is None
    assert from_bytes(b"\xff") is None
