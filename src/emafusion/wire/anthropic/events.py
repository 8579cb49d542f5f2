"""A stream as a client that speaks Anthropic's dialect gets it: Deltas -> its events, framed.

Its grammar: one `message_start`; blocks one after the other, each with a start, deltas and a stop,
numbered from 0; one `message_delta` with why it ended and the usage; `message_stop`.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Delta, FinishReason, Reply, ToolDelta
from emafusion.domain.errors import EmafusionError, Garbled
from emafusion.wire.anthropic.answer import NO_EXTRAS, Extras, ending_of, frame_of, usage_of
from emafusion.wire.anthropic.errors import error_object
from emafusion.wire.anthropic.turns import Block
from emafusion.wire.sse import encode_event

_PING = encode_event(b'{"type":"ping"}', event="ping")
_STOP = encode_event(b'{"type":"message_stop"}', event="message_stop")


class _Type(Struct):
    type: str = ""


_TYPE = msgspec.json.Decoder(_Type)
_FIELDS = msgspec.json.Decoder(dict[str, Raw])


class EventWriter:
    """Writes the events of one stream to a client, framed and ready to send.

    What came in this dialect goes out as it came, but for the model's name; the provider's
    `message_delta`, which ends the answer, is held back until `final`.
    """

    __slots__ = (
        "_count", "_ending", "_message_id", "_model", "_open", "_reason", "_started", "_tools",
    )  # fmt: skip

    def __init__(self, *, message_id: str, model: str) -> None:
        self._message_id = message_id
        self._model = model
        self._started = False
        # Kind of the block that is open, the tool's index among its kind; None where none is.
        self._open: tuple[str, int] | None = None
        self._count = 0
        self._tools: set[int] = set()
        self._reason: FinishReason = "stop"
        self._ending: bytes | None = None

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see.

        Raises `Garbled` where a tool call goes on that another block has ended.
        """
        if delta.raw is not None and delta.dialect == "anthropic":
            return self._passed_on(delta.raw)
        if delta.finish_reason is not None:
            self._reason = delta.finish_reason
        return b"".join(self._written(delta))

    def final(self, reply: Reply, extras: Extras = NO_EXTRAS, /) -> bytes:
        """Write how the answer ended, what it took, our own facts and the end marker."""
        parts = [*self._begin(), *self._close()]
        if self._ending is not None:
            fields: Block = dict(_FIELDS.decode(self._ending))
        else:
            fields = {
                "type": "message_delta",
                "delta": ending_of(self._reason),
                "usage": usage_of(reply.usage),
            }
        if extras:
            fields["emafusion"] = extras
        parts.append(_event("message_delta", fields))
        return b"".join((*parts, _STOP))

    def error(self, error: EmafusionError, /) -> bytes:
        """Write an error event: the stream failed half-way, and no stop follows."""
        return _event("error", error_object(error))

    def waiting(self) -> bytes:
        """Write a ping, which every client skips, also before the message has begun."""
        return _PING

    def _passed_on(self, raw: bytes) -> bytes:
        kind = _TYPE.decode(raw).type
        if kind == "message_delta":
            earlier, self._ending = self._ending, raw
            return b"" if earlier is None else encode_event(earlier, event=kind)
        if kind == "message_start":
            self._started = True
            raw = _renamed(raw, self._model)
        return encode_event(raw, event=kind)

    def _written(self, delta: Delta) -> Iterator[bytes]:
        if delta.reasoning:
            yield from self._in_block("thinking", -1, {"thinking": "", "signature": ""})
            yield self._continued({"type": "thinking_delta", "thinking": delta.reasoning})
        for text in (delta.text, delta.refusal):
            if text:
                yield from self._in_block("text", -1, {"text": ""})
                yield self._continued({"type": "text_delta", "text": text})
        for tool in delta.tools:
            yield from self._tool(tool)

    def _tool(self, tool: ToolDelta) -> Iterator[bytes]:
        if self._open != ("tool_use", tool.index) and tool.index in self._tools:
            raise Garbled("upstream went on with a tool call that had ended")
        self._tools.add(tool.index)
        named: Block = {"id": tool.id or f"call_{tool.index}", "name": tool.name or ""}
        yield from self._in_block("tool_use", tool.index, named | {"input": dict[str, object]()})
        if tool.arguments:
            yield self._continued({"type": "input_json_delta", "partial_json": tool.arguments})

    def _in_block(self, kind: str, number: int, content: Block) -> Iterator[bytes]:
        """Open the block that what follows belongs to, unless it is open."""
        if self._open == (kind, number):
            return
        yield from self._begin()
        yield from self._close()
        self._open = (kind, number)
        fields: Block = {"type": "content_block_start", "index": self._count}
        yield _event("content_block_start", fields | {"content_block": {"type": kind, **content}})

    def _continued(self, said: Block) -> bytes:
        fields: Block = {"type": "content_block_delta", "index": self._count, "delta": said}
        return _event("content_block_delta", fields)

    def _close(self) -> Iterator[bytes]:
        if self._open is not None:
            yield _event("content_block_stop", {"type": "content_block_stop", "index": self._count})
            self._open = None
            self._count += 1

    def _begin(self) -> Iterator[bytes]:
        if not self._started:
            self._started = True
            message = frame_of(self._message_id, self._model) | {"usage": usage_of(None)}
            yield _event("message_start", {"type": "message_start", "message": message})


def _event(kind: str, fields: Block) -> bytes:
    return encode_event(msgspec.json.encode(fields), event=kind)


def _renamed(raw: bytes, model: str) -> bytes:
    """The same `message_start` with the name by which the client knows the model."""
    fields = _FIELDS.decode(raw)
    message: Block = dict(_FIELDS.decode(fields["message"]))
    return msgspec.json.encode(fields | {"message": message | {"model": model}})
