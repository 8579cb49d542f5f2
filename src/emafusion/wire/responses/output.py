"""What came of a response: its output items, from a whole reply or as they grow in a stream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.attempt import Choice, FinishReason, Reply, TokenLogprob
from emafusion.wire.responses.frame import Frame, Item
from emafusion.wire.responses.thought import seal

Kind = Literal["reasoning", "message", "call", "custom"]
Status = Literal["in_progress", "completed", "incomplete"]
PREFIXES: dict[Kind, str] = {"reasoning": "rs", "message": "msg", "call": "fc", "custom": "ctc"}


class Piece(Struct, kw_only=True):
    """One item of the output as far as it has come.

    `text`: thought, said, or a call's arguments or input; `scores`: of its tokens.
    """

    kind: Kind
    id: str
    index: int
    text: list[str] = msgspec.field(default_factory=list[str])
    refusal: list[str] = msgspec.field(default_factory=list[str])
    scores: list[object] = msgspec.field(default_factory=list[object])
    call_id: str = ""
    name: str = ""

    @property
    def said(self) -> str:
        """All of its text."""
        return "".join(self.text)

    @property
    def refused(self) -> str:
        """All of its refusal."""
        return "".join(self.refusal)

    def item(self, frame: Frame, status: Status = "completed") -> Item:
        """The item."""
        if self.kind == "reasoning":
            return self._reasoning(frame, status)
        if self.kind == "message":
            return {
                "id": self.id,
                "type": "message",
                "status": status,
                "role": "assistant",
                "content": self.parts() if status != "in_progress" else [],
            }
        called = {"id": self.id, "status": status, "call_id": self.call_id, "name": self.name}
        said = self.said if status != "in_progress" else ""
        if self.kind == "custom":
            return {"type": "custom_tool_call", **called, "input": said}
        return {"type": "function_call", **called, "arguments": said}

    def parts(self) -> list[Item]:
        """Parts of a message, at least one."""
        text, refused = self.said, self.refused
        parts: list[Item] = []
        if text or not refused:
            parts.append(text_part(text, self.scores))
        if refused:
            parts.append({"type": "refusal", "refusal": refused})
        return parts

    def _reasoning(self, frame: Frame, status: Status) -> Item:
        item: dict[str, object] = {"id": self.id, "type": "reasoning", "summary": []}
        if status == "in_progress":
            return item
        if frame.wants_summary:
            item["summary"] = [{"type": "summary_text", "text": self.said}]
        else:
            item["content"] = [{"type": "reasoning_text", "text": self.said}]
        if frame.wants_sealed:
            item["encrypted_content"] = seal(self.said)
        return item


def text_part(text: str, scores: list[object]) -> Item:
    """A part `output_text`."""
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": scores}


def output_of(reply: Reply, frame: Frame, /) -> list[Item]:
    """The items of a whole reply: what was thought, what was said, what is called."""
    choice = reply.choices[0]
    return items_of(list(_pieces(choice, reply, frame)), frame, finish=choice.finish_reason)


def items_of(pieces: list[Piece], frame: Frame, *, finish: FinishReason) -> list[Item]:
    """The items that these pieces came to; an answer that was cut was cut in the last of them."""
    return [piece.item(frame, status_of(piece, pieces, finish=finish)) for piece in pieces]


def status_of(piece: Piece, pieces: list[Piece], *, finish: FinishReason) -> Status:
    """Whether all of an item came."""
    return "incomplete" if finish == "length" and piece is pieces[-1] else "completed"


def says_nothing(finish: FinishReason, *, called: bool) -> bool:
    """Whether a reply without a word has no message: it called tools, or was cut while thinking."""
    return called or finish == "length"


def scores_of(logprobs: tuple[TokenLogprob, ...], raw: Raw | None = None, /) -> list[object]:
    """Log-probabilities of tokens: as they came from an API like OpenAI's, else those we know."""
    if raw is not None:
        return list(msgspec.json.decode(raw, type=list[Raw]))
    return [
        {
            "token": score.token,
            "logprob": score.logprob,
            "bytes": list(score.token.encode()),
            "top_logprobs": [],
        }
        for score in logprobs
    ]


def _pieces(choice: Choice, reply: Reply, frame: Frame) -> Iterator[Piece]:
    index = 0
    if choice.reasoning:
        yield _piece("reasoning", frame, index=index, text=choice.reasoning)
        index += 1
    silent = not choice.text and choice.refusal is None
    if not (silent and says_nothing(choice.finish_reason, called=bool(choice.tool_calls))):
        message = _piece("message", frame, index=index, text=choice.text)
        message.refusal.append(choice.refusal or "")
        if frame.wants_logprobs:
            message.scores = scores_of(choice.logprobs, raw_scores(reply))
        yield message
        index += 1
    custom = frame.custom_tools
    for call in choice.tool_calls:
        kind: Kind = "custom" if call.name in custom else "call"
        piece = _piece(kind, frame, index=index, text=call.arguments)
        piece.call_id, piece.name = call.id, call.name
        yield piece
        index += 1


def _piece(kind: Kind, frame: Frame, *, index: int, text: str) -> Piece:
    return Piece(kind=kind, id=frame.item_id(PREFIXES[kind], index), index=index, text=[text])


class _Scored(Struct):
    content: Raw = Raw()


class _Choice(Struct):
    logprobs: _Scored | None = None


def raw_scores(reply: Reply) -> Raw | None:
    """Log-probabilities as an API like OpenAI's gave them, with those of other tokens."""
    if reply.origin is None or reply.origin.dialect != "openai":
        return None
    raw = dict(reply.origin.fields).get("choices", b"[]")
    return first_scores(raw)


def first_scores(choices: bytes | Raw) -> Raw | None:
    """Log-probabilities of the first of some choices; None where there are none."""
    try:
        found = msgspec.json.decode(choices, type=list[_Choice])
    except msgspec.MsgspecError:
        return None
    scored = found[0].logprobs if found else None
    content = b"" if scored is None else bytes(scored.content)
    return Raw(content) if content not in (b"", b"null") else None
