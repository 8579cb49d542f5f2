"""What came in another dialect, made fit for servers that speak OpenAI's."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.model import Candidate
from emafusion.domain.query import Message, OpaquePart, Part, Query, TextPart
from emafusion.wire.beyond import RichOrigin
from emafusion.wire.media import media_of

OWN_KINDS = frozenset({"input_audio", "file", "refusal"})
"""Kinds of opaque parts that are OpenAI's own."""

_LONGEST_USER = 64


def is_sendable(part: OpaquePart, /) -> bool:
    """Whether a part can be said: those of our own, and documents that come with their content."""
    return part.kind in OWN_KINDS or document_of(part) is not None


def document_of(part: OpaquePart, /) -> dict[str, object] | None:
    """A document of another dialect as OpenAI's part `file`; None for anything else."""
    media = media_of(part) if part.kind == "document" else None
    if media is None or media.data is None:
        return None
    data = f"data:{media.media_type};base64,{media.data}"
    return {"type": "file", "file": {"filename": "document.pdf", "file_data": data}}


def unasked(query: Query, candidate: Candidate | None, /) -> Iterator[str]:
    """Names of parameters that are not written for this model, although they could be.

    Clients of other APIs send them whatever the model; many a server refuses a request for them.
    """
    if not isinstance(query.origin, RichOrigin):
        return
    if query.user is not None and len(query.user) > _LONGEST_USER:
        yield "user"
    effort = query.settings.reasoning_effort
    can_think = candidate is None or "reasoning" in candidate.model.abilities
    if effort == "none" or (effort is not None and not can_think):
        yield "reasoning_effort"


def spread(messages: tuple[Message, ...], /) -> Iterator[Message]:
    """The same turns with what tools showed in a user's turn behind them.

    A tool's message holds text alone here; images and files in it would be refused.
    """
    shown: list[Part] = []
    for message in messages:
        if message.role != "tool":
            if shown:
                yield Message(role="user", parts=tuple(shown))
                shown = []
            yield message
            continue
        texts = tuple(part for part in message.parts if isinstance(part, TextPart))
        shown += [part for part in message.parts if not isinstance(part, TextPart)]
        yield message if len(texts) == len(message.parts) else _with_parts(message, texts)
    if shown:
        yield Message(role="user", parts=tuple(shown))


def _with_parts(message: Message, parts: tuple[Part, ...]) -> Message:
    return Message(role="tool", parts=parts, tool_call_id=message.tool_call_id, name=message.name)
