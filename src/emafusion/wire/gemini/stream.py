"""A stream of Gemini -> Deltas."""

from __future__ import annotations

import msgspec

from emafusion.domain.attempt import Delta, ToolDelta
from emafusion.wire.error_body import read_trouble
from emafusion.wire.gemini.payload import Answer, Response, end_of
from emafusion.wire.gemini.reply import refusal_of
from emafusion.wire.reading import read
from emafusion.wire.sse import SseEvent

_DECODER = msgspec.json.Decoder(Response)


class GeminiReader:
    """Reads one stream of responses; it has no end marker, the connection just closes."""

    __slots__ = ("_called", "_ended", "_open", "done")

    def __init__(self) -> None:
        self.done = False
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._called: dict[int, int] = {}

    @property
    def complete(self) -> bool:
        """Every answer that began has ended."""
        return bool(self._ended) and self._open <= self._ended

    def feed(self, event: SseEvent, /) -> tuple[Delta, ...]:
        """Turn one response into deltas, one for each answer that it continues."""
        data = event.data
        response = read(data, _DECODER, "event")
        if bytes(response.error) not in (b"", b"null"):
            raise read_trouble(data).failure(None, {})
        if response.blocked is not None:
            return (self._blocked(response, response.blocked, data),)
        answers = response.candidates or [Answer()]
        # The event's own JSON and its usage go with the first delta.
        return tuple(
            self._delta(answer, response, data if n == 0 else None)
            for n, answer in enumerate(answers)
        )

    def _blocked(self, response: Response, reason: str, data: bytes) -> Delta:
        self._ended.add(0)
        return Delta(
            refusal=refusal_of(reason),
            finish_reason="content_filter",
            usage=response.counts.usage() if response.counts else None,
            model=response.model,
            dialect="gemini",
            raw=data,
        )

    def _delta(self, answer: Answer, response: Response, data: bytes | None) -> Delta:
        index = answer.index
        tools = self._tools(answer, response.response_id)
        counts = response.counts if data is not None else None
        self._open.add(index)
        if answer.finish_reason:
            self._ended.add(index)
        called = bool(self._called.get(index))
        return Delta(
            choice=index,
            text=answer.text,
            reasoning=answer.reasoning,
            tools=tools,
            finish_reason=end_of(answer, has_calls=called) if answer.finish_reason else None,
            logprobs=answer.logprobs,
            usage=counts.usage() if counts else None,
            model=response.model,
            dialect="gemini",
            raw=data,
        )

    def _tools(self, answer: Answer, response_id: str) -> tuple[ToolDelta, ...]:
        first = self._called.get(answer.index, 0)
        calls = tuple(answer.calls(response_id, first))
        self._called[answer.index] = first + len(calls)
        return tuple(
            ToolDelta(index=n, id=call.id, name=call.name, arguments=call.arguments)
            for n, call in enumerate(calls, first)
        )
