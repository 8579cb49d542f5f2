"""One streamed answer: events to deltas, passed on as they come, and folded to a reply."""

from __future__ import annotations

from collections.abc import Callable

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import Disconnected
from emafusion.domain.ports import Sink
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.dialect import StreamReader
from emafusion.wire.sse import SseEvent


class Fold:
    """Takes a stream event by event; `sent_live` and `ttft_s` say how far it came.

    `ttft_s`: seconds to the first piece of an answer, None before; `elapsed_s` gives the seconds
    since the call began.
    """

    __slots__ = ("_accumulator", "_elapsed_s", "_reader", "_sink", "sent_live", "ttft_s")

    def __init__(self, reader: StreamReader, sink: Sink, elapsed_s: Callable[[], float]) -> None:
        self._reader = reader
        self._sink = sink
        self._elapsed_s = elapsed_s
        self._accumulator = Accumulator()
        self.sent_live = False
        self.ttft_s: float | None = None

    @property
    def done(self) -> bool:
        """Whether the end marker has come, so that nothing more will."""
        return self._reader.done

    @property
    def complete(self) -> bool:
        """Whether the answer is whole, although more may come."""
        return self._reader.complete

    async def take(self, event: SseEvent, /) -> None:
        """Pass on what the event means; raises the failure that it reports."""
        for delta in self._reader.feed(event):
            await self.pass_on(delta)

    async def pass_on(self, delta: Delta, /) -> None:
        """Keep a delta and give it to the sink."""
        if self.ttft_s is None and _says_something(delta):
            self.ttft_s = self._elapsed_s()
        self._accumulator.add(delta)
        self.sent_live = True
        await self._sink(delta)

    def reply(self, model: str, /) -> Reply:
        """Give the whole reply; raises `Disconnected` if the stream ended before its answer did."""
        if not self._reader.complete:
            raise Disconnected("the stream ended in the middle of the answer")
        return self._accumulator.reply(model)


def _says_something(delta: Delta) -> bool:
    """Whether it holds a part of an answer, not only a role or a count."""
    return bool(delta.text or delta.tools or delta.reasoning or delta.refusal)
