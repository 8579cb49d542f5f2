"""A response as a stream: Deltas -> the events that the Responses API has for them."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Delta, FinishReason, ToolDelta
from emafusion.domain.errors import EmafusionError
from emafusion.wire.openai.errors import error_object
from emafusion.wire.responses.frame import Frame, Item
from emafusion.wire.responses.output import (
    PREFIXES,
    Kind,
    Piece,
    Status,
    first_scores,
    items_of,
    says_nothing,
    scores_of,
    status_of,
)
from emafusion.wire.responses.parts import Phases, phases_of
from emafusion.wire.sse import encode_comment, encode_event

_Fields = Mapping[str, object]


class _Chunk(Struct):
    choices: Raw = Raw(b"[]")


class EventWriter:
    """Writes the events of one response, framed and ready to send.

    Items are told in the order in which the model begins them. One kind after another: what is
    thought or said ends where something else begins; calls stay open to the end, since some
    servers write several at once.
    """

    __slots__ = ("_calls", "_frame", "_open", "_out", "_pieces", "_sequence")

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        self._sequence = 0
        self._pieces: list[Piece] = []
        self._open: dict[int, Phases] = {}
        self._calls: dict[int, Piece] = {}
        self._out: list[bytes] = []

    def delta(self, delta: Delta, /) -> bytes:
        """Write one delta; empty bytes for one that holds nothing the client should see."""
        if delta.choice == 0:
            if delta.reasoning:
                self._say("reasoning", delta.reasoning)
            if delta.text or delta.logprobs:
                self._say("message", delta.text, scores=self._scores(delta))
            if delta.refusal:
                self._refuse(delta.refusal)
            for tool in delta.tools:
                self._call(tool)
        return self._taken()

    def end(self, finish: FinishReason) -> list[Item]:
        """End all items, which `ended` will write, and give them. May be called twice."""
        self._begin()
        has_message = any(piece.kind == "message" for piece in self._pieces)
        if not has_message and not says_nothing(finish, called=bool(self._calls)):
            self._opened("message")
        for piece in self._pieces:
            if piece.index in self._open:
                self._close(piece, status_of(piece, self._pieces, finish=finish))
        return items_of(self._pieces, self._frame, finish=finish)

    def ended(self, response: _Fields) -> bytes:
        """Write the ends of the items and of the response, as it is then."""
        self._emit(f"response.{response['status']}", response=response)
        return self._taken()

    def error(self, error: EmafusionError, /) -> bytes:
        """Write that the response failed half-way: its state, then the error by itself.

        Some clients look for the one, some for the other; neither takes what came for all of it.
        """
        failed = self._frame.failed(items_of(self._pieces, self._frame, finish="length"), error)
        self._emit("response.failed", response=failed)
        told = error_object(error)
        plain = {name: told[name] for name in ("code", "message", "param")}
        self._emit("error", **plain, error=told)
        return self._taken()

    def comment(self, text: str, /) -> bytes:
        """Write a comment, which keeps the connection alive."""
        return encode_comment(text)

    def _begin(self) -> None:
        if self._sequence == 0:
            self._emit("response.created", response=self._frame.begun())
            self._emit("response.in_progress", response=self._frame.begun())

    def _say(self, kind: Kind, text: str, scores: list[object] | None = None) -> None:
        piece = self._current(kind)
        piece.text.append(text)
        piece.scores.extend(scores or ())
        phases = self._open[piece.index]
        for name, fields in phases.said(text, scores or []):
            self._emit(name, **fields)

    def _refuse(self, text: str) -> None:
        piece = self._current("message")
        piece.refusal.append(text)
        for name, fields in self._open[piece.index].refused(text):
            self._emit(name, **fields)

    def _call(self, tool: ToolDelta) -> None:
        piece = self._calls.get(tool.index)
        if piece is None:
            self._close_talk()
            custom = (tool.name or "") in self._frame.custom_tools
            called = tool.id or f"call_{tool.index}", tool.name or ""
            piece = self._opened("custom" if custom else "call", called)
            self._calls[tool.index] = piece
        if tool.arguments:
            piece.text.append(tool.arguments)
            for name, fields in self._open[piece.index].said(tool.arguments, []):
                self._emit(name, **fields)

    def _current(self, kind: Kind) -> Piece:
        """The open item of this kind; another one that thinks or says something ends here."""
        last = self._pieces[-1] if self._pieces else None
        if last is not None and last.kind == kind and last.index in self._open:
            return last
        self._close_talk()
        return self._opened(kind)

    def _opened(self, kind: Kind, called: tuple[str, str] = ("", "")) -> Piece:
        self._begin()
        index = len(self._pieces)
        key = self._frame.item_id(PREFIXES[kind], index)
        piece = Piece(kind=kind, id=key, index=index, call_id=called[0], name=called[1])
        self._pieces.append(piece)
        self._open[index] = phases_of(piece, summary=self._frame.wants_summary)
        item = piece.item(self._frame, "in_progress")
        self._emit("response.output_item.added", output_index=index, item=item)
        return piece

    def _close_talk(self) -> None:
        for piece in self._pieces:
            if piece.index in self._open and piece.kind in ("reasoning", "message"):
                self._close(piece, "completed")

    def _close(self, piece: Piece, status: Status) -> None:
        for name, fields in self._open.pop(piece.index).ended():
            self._emit(name, **fields)
        item = piece.item(self._frame, status)
        self._emit("response.output_item.done", output_index=piece.index, item=item)

    def _scores(self, delta: Delta) -> list[object]:
        if not delta.logprobs or not self._frame.wants_logprobs:
            return []
        raw = None
        if delta.raw is not None and delta.dialect == "openai":
            raw = first_scores(msgspec.json.decode(delta.raw, type=_Chunk).choices)
        return scores_of(delta.logprobs, raw)

    def _emit(self, kind: str, /, **fields: object) -> None:
        event = {"type": kind, "sequence_number": self._sequence, **fields}
        self._sequence += 1
        self._out.append(encode_event(msgspec.json.encode(event), event=kind))

    def _taken(self) -> bytes:
        data = b"".join(self._out)
        self._out.clear()
        return data
