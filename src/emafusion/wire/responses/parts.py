"""The events inside one item of a stream: its part begins, grows and ends."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from typing_extensions import override

from emafusion.wire.responses.output import Piece, text_part

Event = tuple[str, Mapping[str, object]]


class Phases(Protocol):
    """What is told of one item between its beginning and its end."""

    def said(self, text: str, scores: list[object], /) -> Iterator[Event]:
        """It goes on by this text."""
        ...

    def refused(self, text: str, /) -> Iterator[Event]:
        """It goes on by this refusal."""
        ...

    def ended(self) -> Iterator[Event]:
        """Nothing more comes."""
        ...


def phases_of(piece: Piece, *, summary: bool) -> Phases:
    """What tells of this item."""
    if piece.kind == "message":
        return Said(piece)
    if piece.kind == "reasoning":
        return Summary(piece) if summary else Thought(piece)
    return Called(piece)


class _Quiet:
    """Phases that know no refusal."""

    def __init__(self, piece: Piece) -> None:
        self._piece = piece
        self._begun = False

    def refused(self, text: str, /) -> Iterator[Event]:
        """Nothing: only messages refuse."""
        del text
        yield from ()

    def _at(self, **fields: object) -> Mapping[str, object]:
        return {"item_id": self._piece.id, "output_index": self._piece.index, **fields}


class Said(_Quiet):
    """A message: a part of text, a part of refusal, or one after the other."""

    def __init__(self, piece: Piece) -> None:
        super().__init__(piece)
        self._part: str | None = None
        self._number = -1

    def said(self, text: str, scores: list[object], /) -> Iterator[Event]:
        """Text."""
        yield from self._begin("output_text")
        if text or scores:
            at = self._at(content_index=self._number, delta=text, logprobs=scores)
            yield "response.output_text.delta", at

    @override
    def refused(self, text: str, /) -> Iterator[Event]:
        """A refusal."""
        yield from self._begin("refusal")
        yield "response.refusal.delta", self._at(content_index=self._number, delta=text)

    def ended(self) -> Iterator[Event]:
        """The last part ends; a message without a word has an empty one."""
        if self._part is None:
            yield from self._begin("output_text")
        yield from self._end()

    def _begin(self, kind: str) -> Iterator[Event]:
        if self._part == kind:
            return
        yield from self._end()
        self._part = kind
        self._number += 1
        empty = text_part("", []) if kind == "output_text" else {"type": kind, "refusal": ""}
        yield "response.content_part.added", self._at(content_index=self._number, part=empty)

    def _end(self) -> Iterator[Event]:
        piece, number = self._piece, self._number
        if self._part == "output_text":
            told = {"text": piece.said, "logprobs": piece.scores}
            yield "response.output_text.done", self._at(content_index=number, **told)
            part = text_part(piece.said, piece.scores)
            yield "response.content_part.done", self._at(content_index=number, part=part)
        elif self._part == "refusal":
            refusal = {"refusal": piece.refused}
            yield "response.refusal.done", self._at(content_index=number, **refusal)
            part = {"type": "refusal", **refusal}
            yield "response.content_part.done", self._at(content_index=number, part=part)
        self._part = None


class Thought(_Quiet):
    """A thought as it is."""

    def said(self, text: str, _scores: list[object], /) -> Iterator[Event]:
        """More of it."""
        if not self._begun:
            self._begun = True
            empty = {"type": "reasoning_text", "text": ""}
            yield "response.content_part.added", self._at(content_index=0, part=empty)
        yield "response.reasoning_text.delta", self._at(content_index=0, delta=text)

    def ended(self) -> Iterator[Event]:
        """All of it."""
        text = self._piece.said
        yield "response.reasoning_text.done", self._at(content_index=0, text=text)
        part = {"type": "reasoning_text", "text": text}
        yield "response.content_part.done", self._at(content_index=0, part=part)


class Summary(_Quiet):
    """A thought for clients that show summaries."""

    def said(self, text: str, _scores: list[object], /) -> Iterator[Event]:
        """More of it."""
        if not self._begun:
            self._begun = True
            empty = {"type": "summary_text", "text": ""}
            yield "response.reasoning_summary_part.added", self._at(summary_index=0, part=empty)
        yield "response.reasoning_summary_text.delta", self._at(summary_index=0, delta=text)

    def ended(self) -> Iterator[Event]:
        """All of it."""
        text = self._piece.said
        yield "response.reasoning_summary_text.done", self._at(summary_index=0, text=text)
        part = {"type": "summary_text", "text": text}
        yield "response.reasoning_summary_part.done", self._at(summary_index=0, part=part)


class Called(_Quiet):
    """A call of a tool."""

    def said(self, text: str, _scores: list[object], /) -> Iterator[Event]:
        """More of its arguments."""
        yield f"{self._name()}.delta", self._at(delta=text)

    def ended(self) -> Iterator[Event]:
        """All of its arguments."""
        field = "input" if self._piece.kind == "custom" else "arguments"
        yield f"{self._name()}.done", self._at(**{field: self._piece.said})

    def _name(self) -> str:
        if self._piece.kind == "custom":
            return "response.custom_tool_call_input"
        return "response.function_call_arguments"
