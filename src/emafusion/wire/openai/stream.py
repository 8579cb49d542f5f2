"""A stream of an OpenAI-like server -> Deltas."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Delta, ToolDelta
from emafusion.wire.error_body import read_trouble
from emafusion.wire.openai.payload import (
    Called,
    Function,
    Logprobs,
    Piece,
    end_of,
    text_of,
    thought_of,
)
from emafusion.wire.openai.usage import decode_usage
from emafusion.wire.reading import read
from emafusion.wire.sse import SseEvent


class _Said(Struct):
    content: str | list[Piece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None
    tool_calls: list[Called] | None = None
    function_call: Function | None = None


class _Choice(Struct):
    delta: _Said | None = None
    index: int = 0
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class _Chunk(Struct):
    choices: list[_Choice] | None = None
    model: str | None = None
    usage: Raw = Raw()
    error: Raw = Raw()


_DECODER = msgspec.json.Decoder(_Chunk)
_NOTHING = (b"", b"null")


class OpenAIReader:
    """Reads one stream of chunks."""

    __slots__ = ("_ended", "_open", "_slots", "done")

    def __init__(self) -> None:
        self.done = False
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._slots: dict[int, int] = {}

    @property
    def complete(self) -> bool:
        """Every answer that began has ended; where none began, the end marker ends nothing."""
        if self.done:
            return bool(self._open)
        return bool(self._ended) and self._open <= self._ended

    def feed(self, event: SseEvent, /) -> tuple[Delta, ...]:
        """Turn one chunk into deltas: one for each of the answers that it continues."""
        data = event.data
        if data.strip() == b"[DONE]":
            self.done = True
            return ()
        if not data.strip():
            return ()
        chunk = read(data, _DECODER, "chunk")
        if bytes(chunk.error) not in _NOTHING or event.event == "error":
            raise read_trouble(data).failure(None, {})
        return self._deltas(chunk, data)

    def _deltas(self, chunk: _Chunk, data: bytes) -> tuple[Delta, ...]:
        choices = chunk.choices or []
        if chunk.choices is None and not chunk.usage:
            return ()  # what clients would stumble over, and says nothing
        if len(choices) == 1:
            return (self._delta(chunk, choices[0], data),)
        if not choices:
            usage = decode_usage(chunk.usage)
            return (Delta(usage=usage, model=chunk.model, dialect="openai", raw=data),)
        return tuple(
            self._delta(chunk, choice, raw)
            for choice, raw in zip(choices, _split(data), strict=True)
        )

    def _delta(self, chunk: _Chunk, choice: _Choice, raw: bytes) -> Delta:
        said = choice.delta or _Said()
        index = choice.index
        self._open.add(index)
        reason = choice.finish_reason
        if reason:
            self._ended.add(index)
        content = said.content
        return Delta(
            choice=index,
            text=content if isinstance(content, str) else text_of(content),
            reasoning=said.reasoning_content or said.reasoning or thought_of(content),
            refusal=said.refusal or "",
            tools=self._tools(said, index),
            finish_reason=end_of(reason) if reason else None,
            logprobs=choice.logprobs.read() if choice.logprobs else (),
            usage=decode_usage(chunk.usage) if chunk.usage else None,
            model=chunk.model,
            dialect="openai",
            raw=raw if choice.delta is not None else None,
        )

    def _tools(self, said: _Said, choice: int) -> tuple[ToolDelta, ...]:
        called = said.tool_calls
        if called is None and said.function_call is not None:
            called = [Called(index=0, function=said.function_call)]
        if not called:
            return ()
        return tuple(
            ToolDelta(
                index=self._slot(call, choice),
                id=call.id or None,
                name=call.name or None,
                arguments=call.arguments,
            )
            for call in called
        )

    def _slot(self, call: Called, choice: int) -> int:
        """Index of the call; where a server leaves it out, a new id starts a new call."""
        last = self._slots.get(choice, -1)
        slot = call.index
        if slot is None:
            slot = last + 1 if call.id or last < 0 else last
        self._slots[choice] = max(last, slot)
        return slot


def _split(data: bytes) -> list[bytes]:
    """Make a chunk for each choice of a chunk with several; the usage stays with the last."""
    fields = msgspec.json.decode(data, type=dict[str, Raw])
    choices = msgspec.json.decode(fields["choices"], type=list[Raw])
    alone = {name: value for name, value in fields.items() if name != "usage"}
    parts = [msgspec.json.encode(alone | {"choices": [choice]}) for choice in choices]
    parts[-1] = msgspec.json.encode(fields | {"choices": [choices[-1]]})
    return parts
