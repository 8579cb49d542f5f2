"""A query as the log keeps it: messages in the form of the OpenAI API, no heavy attachments."""

from __future__ import annotations

from hashlib import blake2b
from typing import TypedDict

import msgspec

from emafusion.domain.query import ImagePart, Message, Part, Query, TextPart, ToolCall
from emafusion.store.record import RequestRecord
from emafusion.store.texts import Texts, storable

_INLINE_BYTES = 2048
"""Images and opaque parts up to this size are kept; larger ones leave a hash."""


class _Function(TypedDict):
    name: str
    arguments: str


class _Call(TypedDict):
    id: str
    type: str
    function: _Function


_PartJson = dict[str, str | dict[str, str]]


class _MessageJson(TypedDict, total=False):
    role: str
    content: str | list[_PartJson] | None
    tool_calls: list[_Call]
    tool_call_id: str
    name: str


def messages_json(messages: tuple[Message, ...]) -> str:
    """Write messages down as JSON.

    >>> messages_json((Message(role="user", parts=(TextPart(text="Hi"),)),))
    '[{"role":"user","content":"Hi"}]'
    """
    return msgspec.json.encode([_message(message) for message in messages]).decode()


def is_one_prompt(query: Query) -> bool:
    """Whether the query's prompt is its whole conversation."""
    if len(query.messages) != 1 or query.messages[0].role != "user":
        return False
    return all(isinstance(part, TextPart) for part in query.messages[0].parts)


def request_record(query: Query, texts: Texts) -> RequestRecord:
    """The settings; names of tools and stop words only where texts are kept."""
    full = texts.prompts == "full"
    settings = query.settings
    return RequestRecord(
        stream=query.stream,
        format=query.format.kind,
        tools=tuple(storable(tool.name) for tool in query.tools) if full else (),
        images=query.has_images,
        max_tokens=settings.max_tokens,
        temperature=settings.temperature,
        top_p=settings.top_p,
        n=settings.n,
        stop=tuple(map(storable, settings.stop)) if full else (),
        seed=settings.seed,
        tool_choice=texts.keep(settings.tool_choice),
        reasoning_effort=texts.keep(settings.reasoning_effort),
    )


def _message(message: Message) -> _MessageJson:
    made: _MessageJson = {"role": message.role, "content": _content(message.parts)}
    if message.tool_calls:
        made["tool_calls"] = [_call(call) for call in message.tool_calls]
    if message.tool_call_id is not None:
        made["tool_call_id"] = storable(message.tool_call_id)
    if message.name is not None:
        made["name"] = storable(message.name)
    return made


def _content(parts: tuple[Part, ...]) -> str | list[_PartJson] | None:
    if not parts:
        return None
    if len(parts) == 1 and isinstance(parts[0], TextPart):
        return storable(parts[0].text)
    return [_part(part) for part in parts]


def _part(part: Part) -> _PartJson:
    if isinstance(part, TextPart):
        return {"type": "text", "text": storable(part.text)}
    if isinstance(part, ImagePart):
        return {"type": "image_url", "image_url": {"url": _light(part.url)}}
    return {"type": part.kind, "raw": _light(part.raw.decode("utf-8", "replace"))}


def _light(text: str) -> str:
    """The text if it is short, else its beginning, size and hash: the log is no image store."""
    if len(text) <= _INLINE_BYTES:
        return storable(text)
    raw = text.encode("utf-8", "replace")
    name = blake2b(raw, digest_size=16).hexdigest()
    return f"{storable(text[:32])}... ({len(raw)} bytes, blake2b {name})"


def _call(call: ToolCall) -> _Call:
    return {
        "id": storable(call.id),
        "type": "function",
        "function": {"name": storable(call.name), "arguments": storable(call.arguments)},
    }
