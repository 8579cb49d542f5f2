"""Asks an engine from a test's thread and waits for what it tells."""

from __future__ import annotations

import queue
from dataclasses import dataclass, field

from emafusion.upstream.local.engine import Engine, Ticket
from emafusion.upstream.local.generation import (
    Done,
    Event,
    Failed,
    Finished,
    Job,
    Message,
    Piece,
    Sampling,
    Token,
)


@dataclass(slots=True)
class Told:
    """Everything one job was told."""

    texts: dict[int, str] = field(default_factory=dict[int, str])
    tokens: list[Token] = field(default_factory=list[Token])
    reasons: dict[int, str] = field(default_factory=dict[int, str])
    last: Done | Failed | None = None

    def hear(self, event: Event) -> bool:
        """Take in one event; True if it was the last."""
        if isinstance(event, Piece):
            self.texts[event.index] = self.texts.get(event.index, "") + event.text
            self.tokens.extend(event.tokens)
        elif isinstance(event, Finished):
            self.reasons[event.index] = event.reason
        else:
            self.last = event
        return self.last is not None


class Asking:
    """A job on its way."""

    def __init__(self, engine: Engine, text: str, sampling: Sampling) -> None:
        self._events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        job = Job(messages=(Message(role="user", content=text),), sampling=sampling)
        self.ticket: Ticket = engine.submit(job, self._events.put)

    def first(self) -> Event:
        """The next event."""
        return self._events.get(timeout=60)

    def told(self) -> Told:
        """Everything up to the last event."""
        told = Told()
        while not told.hear(self._events.get(timeout=60)):
            pass
        return told

    def silent(self, seconds: float = 0.2) -> bool:
        """Whether nothing more comes."""
        try:
            self._events.get(timeout=seconds)
        except queue.Empty:
            return True
        return False


def ask(engine: Engine, text: str, sampling: Sampling | None = None) -> Told:
    """Ask and wait."""
    return Asking(engine, text, sampling or Sampling(max_tokens=50)).told()
