"""What one replica or worker learns of the moment and others may use: a port, and its events.

Nothing depends on an event arriving: a replica that hears nothing finds out by itself. So telling
never waits and never fails, and where others are gone it is as if there were none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec


class ToolCallMade(msgspec.Struct, frozen=True, kw_only=True, tag="tool_call"):
    """A candidate made a tool call in a conversation: its answer must go there again."""

    call_id: str
    candidate: str
    conversation: str = ""


class ConversationRead(msgspec.Struct, frozen=True, kw_only=True, tag="conversation"):
    """Candidates have had so many tokens of a conversation in a cache since `at_s` (Unix)."""

    conversation: str
    tokens: Mapping[str, int]
    at_s: float


class BreakerTurned(msgspec.Struct, frozen=True, kw_only=True, tag="breaker"):
    """A deployment was found failing, or well again.

    `trips`: how often in a row it opened, 0 when closed. `open_s`, `paused_s`: seconds, from
    `at_s` (Unix), in which no call should go there.
    """

    name: str
    trips: int
    open_s: float
    paused_s: float
    at_s: float


Event = ToolCallMade | ConversationRead | BreakerTurned
Hear = Callable[[Event], None]


class Shared(Protocol):
    """Tells others, and is told. Belongs to one event loop."""

    def listen(self, hear: Hear, /) -> None:
        """Begin: `hear` is called for what others tell, also what they told lately."""
        ...

    def publish(self, event: Event, /) -> None:
        """Tell others; returns at once and never fails."""
        ...

    async def close(self) -> None:
        """End. May be called twice."""
        ...


class Told(msgspec.Struct, frozen=True, array_like=True):
    """An event on its way. `origin`: who told it, so that nobody hears itself."""

    origin: str
    event: Event


_ENCODE = msgspec.json.Encoder().encode
_DECODE = msgspec.json.Decoder(Told).decode


def to_bytes(told: Told) -> bytes:
    """As it travels: JSON on one line."""
    return _ENCODE(told)


def from_bytes(line: bytes) -> Told | None:
    """What came; None where it is nothing that this version knows.

    >>> event = ToolCallMade(call_id="c1", candidate="small")
    >>> from_bytes(to_bytes(Told("a", event))) == Told("a", event), from_bytes(b"{}")
    (True, None)
    """
    try:
        return _DECODE(line)
    except msgspec.DecodeError:
        return None
