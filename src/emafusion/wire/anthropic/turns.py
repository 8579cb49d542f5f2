"""A conversation as Anthropic wants it: a system text, then users and assistants in turn."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.domain.query import Message, OpaquePart, Part, TextPart, ToolCall
from emafusion.wire.media import Media, media_of
from emafusion.wire.refusal import refusal_of

Block = dict[str, object]

_BAD_ID = re.compile(r"[^a-zA-Z0-9_-]")


def system_of(messages: tuple[Message, ...], /) -> str:
    """Join what system and developer said, wherever it stands."""
    said = (message.text for message in messages if message.role in ("system", "developer"))
    return "\n\n".join(text for text in said if text)


def turns_of(messages: tuple[Message, ...], /) -> list[Block]:
    """Write the turns; neighbours of one role become one, empty ones are left out."""
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        blocks = list(_blocks(message))
        if message.role in ("system", "developer") or not blocks:
            continue
        role = "assistant" if message.role == "assistant" else "user"
        if turns and turns[-1][0] == role:
            turns[-1][1].extend(blocks)
        else:
            turns.append((role, blocks))
    return [{"role": role, "content": blocks} for role, blocks in turns]


def is_sendable(part: OpaquePart, /) -> bool:
    """Whether a part of another dialect can be said here: documents and refusals can."""
    return part.kind == "refusal" or _document(part) is not None


def _blocks(message: Message) -> Iterator[Block]:
    said = [block for part in message.parts if (block := _block(part)) is not None]
    if message.role == "tool":
        yield _result(message, said)
        return
    yield from said
    yield from (_tool_use(call) for call in message.tool_calls)


def _block(part: Part) -> Block | None:
    """Write one part; empty text is refused by the API, so it is left out."""
    said = part.text if isinstance(part, TextPart) else None
    if isinstance(part, OpaquePart):
        said = refusal_of(part)
        if said is None:
            return _document(part)
    if said is not None:
        return {"type": "text", "text": said} if said.strip() else None
    media = media_of(part)
    return {"type": "image", "source": _source(media)} if media else None


def _source(media: Media) -> Block:
    if media.url is not None:
        return {"type": "url", "url": media.url}
    return {"type": "base64", "media_type": media.media_type, "data": media.data}


def _document(part: OpaquePart) -> Block | None:
    media = media_of(part) if part.kind in ("file", "document") else None
    return {"type": "document", "source": _source(media)} if media else None


def _result(message: Message, said: list[Block]) -> Block:
    block: Block = {"type": "tool_result", "tool_use_id": tool_id(message.tool_call_id or "")}
    return block | {"content": said} if said else block


def _tool_use(call: ToolCall) -> Block:
    return {
        "type": "tool_use",
        "id": tool_id(call.id),
        "name": call.name,
        "input": input_of(call.arguments),
    }


def tool_id(given: str, /) -> str:
    """Make an id that Anthropic takes of any other server's."""
    return _BAD_ID.sub("_", given) or "call"


def input_of(arguments: str, /) -> object:
    """Take the arguments as an object; what is not JSON is passed on as one text."""
    try:
        msgspec.json.decode(arguments, type=dict[str, Raw])
    except (msgspec.MsgspecError, RecursionError):
        return {"arguments": arguments} if arguments.strip() else {}
    return Raw(arguments.encode())
