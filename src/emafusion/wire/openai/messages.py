"""Turns of a conversation: OpenAI's messages -> Messages."""

from __future__ import annotations

from typing import Literal

from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.domain.query import (
    ImagePart,
    Message,
    OpaquePart,
    Part,
    Role,
    TextPart,
    ToolCall,
)
from emafusion.wire import faults
from emafusion.wire.openai.params import MessageParam, ToolCallParam

_ADDRESSES = ("data:", "https://", "http://")


def messages_of(params: list[MessageParam], /) -> tuple[Message, ...]:
    """Read every turn; the old `function` role becomes a tool's result."""
    messages: list[Message] = []
    for number, param in enumerate(params):
        where = f"messages[{number}]"
        _check(param, where)
        messages.append(_message(param, where, messages))
    return tuple(messages)


class _Image(Struct):
    url: str
    detail: Literal["auto", "low", "high", "original"] | None = None


class _Audio(Struct):
    data: str
    format: str


class _File(Struct):
    file_data: str | None = None
    file_id: str | None = None
    filename: str | None = None


class _Part(Struct):
    type: str
    text: str | None = None
    image_url: _Image | None = None
    input_audio: _Audio | None = None
    file: _File | None = None
    refusal: str | None = None


def _check(param: MessageParam, where: str) -> None:
    """Refuse a turn that lacks what its role needs."""
    if param.role == "tool" and not param.tool_call_id:
        raise BadInput("is required in a message of role 'tool'", where=f"{where}.tool_call_id")
    if param.role == "function" and not param.name:
        raise BadInput("is required in a message of role 'function'", where=f"{where}.name")
    if param.content is None and param.role != "function" and not _speaks(param):
        raise BadInput("expected a string or an array of parts", where=f"{where}.content")


def _speaks(param: MessageParam) -> bool:
    """Whether an assistant's turn says something even without content."""
    said = (param.tool_calls, param.function_call, param.refusal, param.audio)
    return param.role == "assistant" and (any(said) or param.reasoning_content is not None)


def _message(param: MessageParam, where: str, before: list[Message]) -> Message:
    calls = tuple(
        _tool_call(call, f"{where}.tool_calls[{n}]")
        for n, call in enumerate(param.tool_calls or ())
    )
    answers = param.tool_call_id
    if param.function_call is not None:
        called = param.function_call
        calls += (ToolCall(id=_legacy_id(before), name=called.name, arguments=called.arguments),)
    if param.role == "function":
        answers = _called(param.name or "", before)
    return Message(
        role=_role(param),
        parts=_parts(param.content, where),
        tool_calls=calls,
        tool_call_id=answers,
        name=param.name,
    )


def _role(param: MessageParam) -> Role:
    return "tool" if param.role == "function" else param.role


def _tool_call(call: ToolCallParam, where: str) -> ToolCall:
    if call.type == "custom" and call.custom is not None:
        return ToolCall(id=call.id, name=call.custom.name, arguments=call.custom.input)
    if call.type == "function" and call.function is not None:
        return ToolCall(id=call.id, name=call.function.name, arguments=call.function.arguments)
    raise BadInput("is required", where=f"{where}.{call.type}")


def _legacy_id(before: list[Message]) -> str:
    """Make up an id for a call of the old kind, which has none: its place in the conversation."""
    return f"call_{len(before)}"


def _called(name: str, before: list[Message]) -> str:
    """Find the call that a `function` message answers: the last one of that name."""
    calls = (call for message in reversed(before) for call in message.tool_calls)
    return next((call.id for call in calls if call.name == name), _legacy_id(before))


def _parts(content: str | list[Raw] | None, where: str) -> tuple[Part, ...]:
    if content is None:
        return ()
    if isinstance(content, str):
        return (TextPart(text=content),)
    return tuple(_part(raw, f"{where}.content[{n}]") for n, raw in enumerate(content))


def _part(raw: Raw, where: str) -> Part:
    part = faults.decode(raw, _Part, where=where)
    if part.type == "text" and part.text is not None:
        return TextPart(text=part.text)
    if part.type == "image_url" and part.image_url is not None:
        return _image(part.image_url, where)
    known = {"input_audio": part.input_audio, "file": part.file, "refusal": part.refusal}
    if part.type in ("text", "image_url") or known.get(part.type, part) is None:
        raise BadInput("is required", where=f"{where}.{part.type}")
    return OpaquePart(kind=part.type, raw=bytes(raw))


def _image(image: _Image, where: str) -> ImagePart:
    if not image.url.startswith(_ADDRESSES):
        raise BadInput("must be a data:, https: or http: address", where=f"{where}.image_url.url")
    return ImagePart(url=image.url, detail=image.detail)
