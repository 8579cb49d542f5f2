"""A stream of Anthropic -> Deltas."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Delta, ToolDelta
from emafusion.wire.anthropic.ending import StopDetails, end_of
from emafusion.wire.anthropic.usage import UsageFields
from emafusion.wire.error_body import read_trouble
from emafusion.wire.reading import read
from emafusion.wire.sse import SseEvent


class _Block(Struct):
    type: str = ""
    id: str | None = None
    name: str | None = None
    text: str | None = None
    input: Raw = Raw(b"{}")


class _Said(Struct):
    type: str = ""
    text: str | None = None
    thinking: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None
    stop_details: StopDetails | None = None


class _Message(Struct):
    model: str | None = None
    usage: UsageFields | None = None


class _Event(Struct):
    type: str = ""
    index: int = 0
    message: _Message | None = None
    content_block: _Block | None = None
    delta: _Said | None = None
    usage: UsageFields | None = None


_DECODER = msgspec.json.Decoder(_Event)
_NOTHING = _Said()


class AnthropicReader:
    """Reads one stream of events."""

    __slots__ = ("_model", "_tools", "_unfilled", "_usage", "complete", "done")

    def __init__(self) -> None:
        self.done = False
        self.complete = False
        self._model: str | None = None
        self._usage = UsageFields()
        # Index of a content block -> index among the tool calls; and those without arguments yet.
        self._tools: dict[int, int] = {}
        self._unfilled: dict[int, str] = {}

    def feed(self, event: SseEvent, /) -> tuple[Delta, ...]:
        """Turn one event into a delta; pings are skipped."""
        data = event.data
        said = read(data, _DECODER, "event")
        match said.type or event.event:
            case "content_block_delta":
                return (self._continued(said, data),)
            case "content_block_start":
                return (self._started(said, data),)
            case "content_block_stop":
                return (self._stopped(said, data),)
            case "message_start" | "message_delta":
                return (self._message(said, data),)
            case "message_stop":
                self.done = self.complete = True
            case "error":
                raise read_trouble(data).failure(None, {})
            case _:
                pass
        return ()

    def _delta(self, data: bytes, *, text: str = "", tools: tuple[ToolDelta, ...] = ()) -> Delta:
        return Delta(text=text, tools=tools, model=self._model, dialect="anthropic", raw=data)

    def _message(self, event: _Event, data: bytes) -> Delta:
        """Take what the first and the last event say of the whole message."""
        message = event.message or _Message()
        self._model = message.model or self._model
        news = message.usage or event.usage
        if news is not None:
            self._usage = news.over(self._usage)
        said = event.delta or _NOTHING
        self.complete = self.complete or said.stop_reason is not None
        return Delta(
            refusal=(said.stop_details.explanation or "") if said.stop_details else "",
            finish_reason=end_of(said.stop_reason) if said.stop_reason else None,
            usage=self._usage.usage() if news is not None else None,
            model=self._model,
            dialect="anthropic",
            raw=data,
        )

    def _started(self, event: _Event, data: bytes) -> Delta:
        block = event.content_block or _Block()
        if block.type != "tool_use":
            return self._delta(data, text=block.text or "")
        index = self._tools[event.index] = len(self._tools)
        self._unfilled[event.index] = bytes(block.input).decode()
        tool = ToolDelta(index=index, id=block.id, name=block.name)
        return self._delta(data, tools=(tool,))

    def _continued(self, event: _Event, data: bytes) -> Delta:
        said = event.delta or _NOTHING
        if said.partial_json is not None and event.index in self._tools:
            if said.partial_json:
                self._unfilled.pop(event.index, None)
            tool = ToolDelta(index=self._tools[event.index], arguments=said.partial_json)
            return self._delta(data, tools=(tool,))
        return Delta(
            text=said.text or "",
            reasoning=said.thinking or "",
            model=self._model,
            dialect="anthropic",
            raw=data,
        )

    def _stopped(self, event: _Event, data: bytes) -> Delta:
        """Close a block; a tool without arguments gets those of its start, an empty object."""
        arguments = self._unfilled.pop(event.index, None)
        if arguments is None:
            return self._delta(data)
        tool = ToolDelta(index=self._tools[event.index], arguments=arguments)
        return self._delta(data, tools=(tool,))
