"""One streamed answer: bytes to deltas, passed on as they come, and folded to a reply."""

from __future__ import annotations

from collections.abc import Callable

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import Disconnected
from emafusion.domain.ports import Sink
from emafusion.upstream.response import Response
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.dialect import StreamReader
from emafusion.wire.sse import SseEvent, SseParser


class Fold:
    """Reads a stream to its end; `sent_live` and `ttft_s` say how far it came even if it fails.

    `elapsed_s` gives the seconds since the call began.
    """

    __slots__ = ("_accumulator", "_elapsed_s", "_reader", "_sink", "sent_live", "ttft_s")

    def __init__(self, reader: StreamReader, sink: Sink, elapsed_s: Callable[[], float]) -> None:
        self._reader = reader
        self._sink = sink
        self._elapsed_s = elapsed_s
        self._accumulator = Accumulator()
        self.sent_live = False
        self.ttft_s: float | None = None

    async def read(self, response: Response, model: str) -> Reply:
        """Pass on every delta of the response and return what they amount to.

        Raises `Disconnected` for a stream that stops short, and whatever the stream reports.
        """
        parser = SseParser()
        while not self._reader.done and (data := await response.chunk()):
            for event in parser.feed(data):
                await self._take(event)
        if not self._reader.done:
            for event in parser.close():
                await self._take(event)
        if not (self._reader.done or self._reader.complete):
            raise Disconnected("the stream ended in the middle of the answer")
        return self._accumulator.reply(model)

    async def _take(self, event: SseEvent) -> None:
        for delta in self._reader.feed(event):
            if self.ttft_s is None and _says_something(delta):
                self.ttft_s = self._elapsed_s()
            self._accumulator.add(delta)
            self.sent_live = True
            await self._sink(delta)


def _says_something(delta: Delta) -> bool:
    """Whether it holds a part of an answer, not only a role or a count."""
    return bool(delta.text or delta.tools or delta.reasoning or delta.refusal)
