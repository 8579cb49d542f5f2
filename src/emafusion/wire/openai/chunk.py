"""A stream as a client of ours gets it: Deltas -> chunks, framed as events."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Delta, ToolDelta, Usage
from emafusion.domain.errors import EmafusionError
from emafusion.wire.openai.answer import NO_EXTRAS, Extras, logprobs_object
from emafusion.wire.openai.errors import error_object
from emafusion.wire.openai.usage import encode_usage
from emafusion.wire.sse import encode_comment, encode_event

_RAW_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_NULL = Raw(b"null")
_DONE = b"data: [DONE]\n\n"


def encode_delta(
    delta: Delta,
    /,
    *,
    completion_id: str,
    created: int,
    model: str,
    role: str | None = None,
) -> bytes:
    """Write one chunk's JSON (no event framing), without its usage.

    An event that came in this dialect keeps all its fields but `model`; any other is written in
    the official shape. `role` belongs in the first chunk of an answer.
    """
    if delta.raw is not None and delta.dialect == "openai":
        return _passed_on(delta, delta.raw, model)
    fields = _frame(completion_id, created, model)
    fields["choices"] = [
        {
            "index": delta.choice,
            "delta": _said(delta, role),
            "logprobs": logprobs_object(delta.logprobs),
            "finish_reason": delta.finish_reason,
        }
    ]
    return msgspec.json.encode(fields)


class ChunkWriter:
    """Writes the events of one stream to a client, framed and ready to send.

    `model` is the name that the client sees; `include_usage`: the client asked for the usage chunk.
    """

    __slots__ = ("_completion_id", "_created", "_include_usage", "_model", "_started", "_usage")

    def __init__(
        self, *, completion_id: str, created: int, model: str, include_usage: bool
    ) -> None:
        self._completion_id = completion_id
        self._created = created
        self._model = model
        self._include_usage = include_usage
        self._started: set[int] = set()
        self._usage: tuple[Usage, bytes] | None = None

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see.

        The provider's usage is held back: it comes with `final`.
        """
        own = delta.raw if delta.dialect == "openai" else None
        if own is not None and not self._started:
            self._adopt_id(own)
        if own is not None and delta.usage is not None:
            self._usage = (delta.usage, bytes(_RAW_FIELDS.decode(own).get("usage", _NULL)))
        if is_silent(delta) and (own is None or delta.usage is not None):
            return b""
        role = None
        if delta.choice not in self._started:
            self._started.add(delta.choice)
            role = "assistant"
        return encode_event(
            encode_delta(
                delta,
                completion_id=self._completion_id,
                created=self._created,
                model=self._model,
                role=role,
            )
        )

    def final(self, usage: Usage | None, extras: Extras = NO_EXTRAS) -> bytes:
        """Write the usage chunk, if the client asked for it, and the end marker.

        `usage` is what the whole answer took; where it equals the provider's own, that is passed
        on as it came, details included.
        """
        if not self._include_usage:
            return _DONE
        fields = _frame(self._completion_id, self._created, self._model)
        fields["choices"] = []
        fields["usage"] = self._encoded(usage)
        if extras:
            fields["emafusion"] = extras
        return encode_event(msgspec.json.encode(fields)) + _DONE

    def error(self, error: EmafusionError, /) -> bytes:
        """Write an error event: the stream failed half-way.

        No end marker follows, so that no client takes what it has for the whole answer.
        """
        return encode_event(msgspec.json.encode({"error": error_object(error)}))

    def comment(self, text: str, /) -> bytes:
        """Write a comment, which keeps the connection alive."""
        return encode_comment(text)

    def _adopt_id(self, raw: bytes) -> None:
        """Let the chunks that we write have the id of those that we pass on."""
        given = _RAW_FIELDS.decode(raw).get("id", _NULL)
        if bytes(given).startswith(b'"'):
            self._completion_id = msgspec.json.decode(given, type=str)

    def _encoded(self, usage: Usage | None) -> Raw:
        if usage is None:
            return _NULL
        if self._usage is not None and self._usage[0] == usage:
            return Raw(self._usage[1])
        return Raw(encode_usage(usage))


def is_silent(delta: Delta, /) -> bool:
    """Whether the delta says nothing to a client; it may still carry usage."""
    spoken = (delta.text, delta.reasoning, delta.refusal, delta.tools, delta.finish_reason)
    return not any(spoken) and not delta.logprobs


def _passed_on(delta: Delta, raw: bytes, model: str) -> bytes:
    if delta.model == model and delta.usage is None:
        return raw
    fields = _RAW_FIELDS.decode(raw)
    if delta.usage is not None:
        fields["usage"] = _NULL
    fields["model"] = Raw(msgspec.json.encode(model))
    return msgspec.json.encode(fields)


def _frame(completion_id: str, created: int, model: str) -> dict[str, object]:
    return {
        "id": completion_id,
        "object": "chat.completion.chunk",
        "created": created,
        "model": model,
        "system_fingerprint": None,
    }


def _said(delta: Delta, role: str | None) -> dict[str, object]:
    fields: dict[str, object] = {}
    if role is not None:
        fields["role"] = role
    if delta.text or (role is not None and not delta.tools and not delta.refusal):
        fields["content"] = delta.text
    if delta.reasoning:
        fields["reasoning_content"] = delta.reasoning
    if delta.refusal:
        fields["refusal"] = delta.refusal
    if delta.tools:
        fields["tool_calls"] = [_tool(tool) for tool in delta.tools]
    return fields


def _tool(tool: ToolDelta) -> dict[str, object]:
    fields: dict[str, object] = {"index": tool.index}
    function: dict[str, object] = {"arguments": tool.arguments}
    if tool.id is not None:
        fields |= {"id": tool.id, "type": "function"}
    if tool.name is not None:
        function = {"name": tool.name} | function
    return fields | {"function": function}
