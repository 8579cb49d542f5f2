"""A stream as a client gets it that speaks Google's dialect: Deltas -> responses, framed.

Each piece is a whole response with what is new in it; the last has the reason for the end and the
usage. They come as events, or as the items of one JSON array.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec
from msgspec import Raw

from emafusion.domain.attempt import Delta, FinishReason, Reply, ToolDelta
from emafusion.domain.errors import EmafusionError, Failure
from emafusion.domain.query import ToolCall
from emafusion.wire.gemini.answer import (
    NO_EXTRAS,
    Extras,
    called,
    candidate_of,
    frame_of,
    scores_of,
    usage_of,
)
from emafusion.wire.gemini.errors import error_object
from emafusion.wire.gemini.turns import Block
from emafusion.wire.sse import encode_comment, encode_event

_FIELDS = msgspec.json.Decoder(dict[str, Raw])
_HELD = "an answer is being read before it is given"


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """How the client wants its stream. `events`: not one array; `thoughts`: show them too."""

    events: bool = True
    thoughts: bool = False


@dataclass(slots=True)
class _Growing:
    """A tool call as far as it has come: here it is given only whole."""

    id: str = ""
    name: str = ""
    arguments: list[str] = field(default_factory=list[str])

    def add(self, tool: ToolDelta) -> None:
        self.id = self.id or tool.id or ""
        self.name = self.name or tool.name or ""
        self.arguments.append(tool.arguments)

    def part(self, index: int) -> Block:
        """The part that calls it."""
        made = self.id or f"call_{index}"
        return called(ToolCall(id=made, name=self.name, arguments="".join(self.arguments)))


class ResponseWriter:
    """Writes the pieces of one stream to a client, framed and ready to send.

    What came in this dialect goes out as it came, but for the model's name; the piece with the
    reason for the end is held back until `final`.
    """

    __slots__ = (
        "_begun", "_calls", "_delivery", "_frame", "_held", "_model", "_reasons", "_saw_own",
    )  # fmt: skip

    def __init__(self, *, response_id: str, model: str, delivery: Delivery) -> None:
        self._delivery = delivery
        self._model = model
        self._frame = frame_of(response_id, model)
        self._calls: dict[tuple[int, int], _Growing] = {}
        self._reasons: dict[int, FinishReason] = {}
        self._held: list[bytes] = []
        self._begun = self._saw_own = False

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see."""
        if delta.dialect == "gemini" or self._saw_own:
            return self._passed_on(delta)
        if delta.finish_reason is not None:
            self._reasons[delta.choice] = delta.finish_reason
        for tool in delta.tools:
            self._calls.setdefault((delta.choice, tool.index), _Growing()).add(tool)
        parts = list(self._said(delta))
        if not parts and not delta.logprobs:
            return b""
        candidate = candidate_of(parts, delta.choice)
        if delta.logprobs:
            candidate["logprobsResult"] = scores_of(delta.logprobs)
        return self._framed({"candidates": [candidate], **self._frame})

    def final(self, reply: Reply, extras: Extras = NO_EXTRAS, /) -> bytes:
        """Write what was held back, the usage, our own facts and the end."""
        *before, last = self._held or [b"{}"]
        fields: Block = dict(_FIELDS.decode(last))
        if not self._held:
            fields = {"candidates": list(self._endings()), **self._frame}
            if reply.usage is not None:
                fields["usageMetadata"] = usage_of(reply.usage)
        if extras:
            fields["emafusion"] = extras
        pieces = [self._framed(dict(_FIELDS.decode(piece))) for piece in before]
        return b"".join((*pieces, self._framed(fields), b"" if self._delivery.events else b"]"))

    def error(self, error: EmafusionError, /) -> bytes:
        """Write an error as the last piece; no reason for an end was given before."""
        status = error.client_status if isinstance(error, Failure) else error.status
        return self._framed(error_object(error, status)) + (b"" if self._delivery.events else b"]")

    def waiting(self) -> bytes:
        """Write a comment, or a blank between the items of the array."""
        return encode_comment(_HELD) if self._delivery.events else b"\n"

    def _passed_on(self, delta: Delta) -> bytes:
        """The event's own JSON came with its first delta."""
        self._saw_own = True
        if delta.raw is None:
            return b""
        fields: Block = dict(_FIELDS.decode(delta.raw))
        fields["modelVersion"] = self._model
        if delta.finish_reason is not None or self._held:
            self._held.append(msgspec.json.encode(fields))
            return b""
        return self._framed(fields)

    def _said(self, delta: Delta) -> Iterator[Block]:
        if delta.reasoning and self._delivery.thoughts:
            yield {"text": delta.reasoning, "thought": True}
        for text in (delta.text, delta.refusal):
            if text:
                yield {"text": text}

    def _endings(self) -> Iterator[Block]:
        """For each answer the tools it calls and why it ended."""
        for choice in sorted({0, *self._reasons, *(choice for choice, _ in self._calls)}):
            calls = sorted((n, call) for (c, n), call in self._calls.items() if c == choice)
            parts = [call.part(n) for n, call in calls]
            yield candidate_of(parts, choice, reason=self._reasons.get(choice, "stop"))

    def _framed(self, fields: Block) -> bytes:
        data = msgspec.json.encode(fields)
        if self._delivery.events:
            return encode_event(data)
        start = b",\n" if self._begun else b"["
        self._begun = True
        return start + data
