"""A conversation as Gemini wants it: an instruction, then contents of user and model."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.domain.query import Message, OpaquePart, Part, TextPart, ToolCall
from emafusion.wire.media import Media, media_of
from emafusion.wire.refusal import refusal_of

Block = dict[str, object]

# What Google's documents give for calls that the model did not make itself.
_UNSIGNED = "skip_thought_signature_validator"
_TYPES = {
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
    ".pdf": "application/pdf",
}


def system_of(messages: tuple[Message, ...], /) -> Block | None:
    """Join what system and developer said, wherever it stands."""
    said = [message.text for message in messages if message.role in ("system", "developer")]
    parts = [{"text": text} for text in said if text]
    return {"parts": parts} if parts else None


def turns_of(messages: tuple[Message, ...], /, *, signed: bool) -> list[Block]:
    """Write the contents; neighbours of one role become one, empty ones are left out.

    `signed`: the model wants ids and signatures on function calls.
    """
    turns: list[tuple[str, list[Block]]] = []
    for number, message in enumerate(messages):
        if message.role in ("system", "developer"):
            continue
        blocks = list(_blocks(message, messages[:number], signed=signed))
        role = "model" if message.role == "assistant" else "user"
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        elif blocks:
            turns.append((role, blocks))
    return [{"role": role, "parts": blocks} for role, blocks in turns]


def is_sendable(part: OpaquePart, /) -> bool:
    """Whether a part of another dialect can be said here: sounds, documents and refusals can."""
    return part.kind == "refusal" or media_of(part) is not None


def _blocks(message: Message, before: tuple[Message, ...], *, signed: bool) -> Iterator[Block]:
    if message.role == "tool":
        yield _response(message, before, signed=signed)
        shown = (part for part in message.parts if not isinstance(part, TextPart))
        yield from (block for part in shown if (block := _block(part)) is not None)
        return
    yield from (block for part in message.parts if (block := _block(part)) is not None)
    for n, call in enumerate(message.tool_calls):
        called: Block = {"functionCall": _call(call, signed=signed)}
        if signed and n == 0:
            called["thoughtSignature"] = _UNSIGNED
        yield called


def _block(part: Part) -> Block | None:
    said = part.text if isinstance(part, TextPart) else None
    if isinstance(part, OpaquePart):
        said = refusal_of(part)
    if said is not None:
        return {"text": said} if said else None
    media = media_of(part)
    return _media(media) if media else None


def _media(media: Media) -> Block:
    if media.url is None:
        return {"inlineData": {"mimeType": media.media_type, "data": media.data}}
    ending = media.url.partition("?")[0].rpartition(".")[2].lower()
    kind = _TYPES.get(f".{ending}", "image/jpeg")
    return {"fileData": {"mimeType": kind, "fileUri": media.url}}


def _call(call: ToolCall, *, signed: bool) -> Block:
    block: Block = {"name": call.name, "args": object_of(call.arguments, "arguments")}
    return block | {"id": call.id} if signed else block


def _response(message: Message, before: tuple[Message, ...], *, signed: bool) -> Block:
    """Answer a call; Gemini wants the tool's name, which only the call has."""
    asked = message.tool_call_id or ""
    calls = (call for earlier in reversed(before) for call in earlier.tool_calls)
    name = next((call.name for call in calls if call.id == asked), message.name or asked)
    response: Block = {"name": name, "response": object_of(message.text, "result")}
    return {"functionResponse": response | {"id": asked} if signed else response}


def object_of(text: str, name: str, /) -> object:
    """Take JSON text as an object; what is none goes into one under `name`."""
    try:
        msgspec.json.decode(text, type=dict[str, Raw])
    except (msgspec.MsgspecError, RecursionError):
        return {name: text} if text.strip() else {}
    return Raw(text.encode())
