"""A call as the body of `/chat/completions`, for OpenAI and every server like it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.domain.command import Call
from emafusion.domain.model import Candidate
from emafusion.domain.query import (
    Format,
    ImagePart,
    Message,
    OpaquePart,
    Part,
    Query,
    Settings,
    TextPart,
    Tool,
)
from emafusion.wire.beyond import RichOrigin, most_tokens
from emafusion.wire.openai.translated import OWN_KINDS, document_of, spread, unasked

_OPENAI_MODEL = re.compile(r"(?:^|/)(?:o\d|gpt-(?!oss)|chatgpt-)")
_OURS = frozenset({"emafusion", "model", "stream", "stream_options"})


def encode_call(call: Call, /, *, stream: bool) -> bytes:
    """Write the body: the client's own fields if it spoke this dialect, else from the nouns."""
    query = call.query
    if query.origin is not None and query.origin.dialect == "openai":
        fields = _own_fields(query.origin.fields)
    else:
        fields = dict(_fields(query))
        for name in unasked(query, call.candidate):
            fields.pop(name, None)
        if isinstance(query.origin, RichOrigin) and "max_tokens" in fields:
            fields["max_tokens"] = most_tokens(call)
    _suit(fields, call.candidate)
    fields |= {"model": call.candidate.remote_name}
    if call.scored:
        fields |= {"logprobs": True}
    if stream:
        # Usage is always asked for: without it the cost of a stream would be unknown.
        options = _stream_options(query)
        fields |= {"stream": True, "stream_options": options | {"include_usage": True}}
    return msgspec.json.encode(fields)


def _own_fields(fields: tuple[tuple[str, bytes], ...]) -> dict[str, object]:
    return {name: Raw(value) for name, value in fields if name not in _OURS}


def _stream_options(query: Query) -> dict[str, object]:
    """Keep what else the client asked of its stream."""
    given = dict(query.origin.fields).get("stream_options") if query.origin else None
    if not given or not given.startswith(b"{"):
        return {}
    return dict(msgspec.json.decode(given, type=dict[str, Raw]))


def _suit(fields: dict[str, object], candidate: Candidate) -> None:
    """Write three things as the model's server knows them.

    OpenAI's models take `max_completion_tokens` (the newer ones nothing else) and the role
    `developer`; most other servers know only `max_tokens` and `system`. Others' models want their
    earlier thoughts back in a tool loop; OpenAI's API refuses a message that has some.
    """
    theirs, other = "max_tokens", "max_completion_tokens"
    if _OPENAI_MODEL.search(candidate.remote_name):
        theirs, other = other, theirs
        if b'"reasoning_content"' in _bytes(fields["messages"]):
            fields["messages"] = _without_thoughts(_bytes(fields["messages"]))
    elif b'"developer"' in _bytes(fields["messages"]):
        fields["messages"] = _without_developer(_bytes(fields["messages"]))
    if other in fields and theirs not in fields:
        fields[theirs] = fields.pop(other)


def _bytes(value: object) -> bytes:
    return bytes(value) if isinstance(value, Raw) else msgspec.json.encode(value)


def _without_developer(messages: bytes) -> list[dict[str, Raw]]:
    turns = msgspec.json.decode(messages, type=list[dict[str, Raw]])
    for turn in turns:
        if bytes(turn["role"]) == b'"developer"':
            turn["role"] = Raw(b'"system"')
    return turns


def _without_thoughts(messages: bytes) -> list[dict[str, Raw]]:
    """The turns as they were said; one that was only thought is no turn."""
    turns = msgspec.json.decode(messages, type=list[dict[str, Raw]])
    return [
        {name: value for name, value in turn.items() if name != "reasoning_content"}
        for turn in turns
        if turn.keys() != {"role", "reasoning_content"}
    ]


def _fields(query: Query) -> Iterator[tuple[str, object]]:
    """Every field that the nouns hold."""
    yield "messages", [_message(message) for message in spread(query.messages)]
    if query.tools:
        yield "tools", [_tool(tool) for tool in query.tools]
    if query.format.kind != "text":
        yield "response_format", _format(query.format)
    if query.user is not None:
        yield "user", query.user
    yield from _settings(query.settings)


def _settings(settings: Settings) -> Iterator[tuple[str, object]]:
    plain: dict[str, object] = {
        "max_tokens": settings.max_tokens,
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "n": settings.n if settings.n != 1 else None,
        "stop": settings.stop or None,
        "seed": settings.seed,
        "logprobs": settings.logprobs or None,
        "top_logprobs": settings.top_logprobs,
        "tool_choice": _choice(settings.tool_choice),
        "parallel_tool_calls": settings.parallel_tool_calls,
        "reasoning_effort": settings.reasoning_effort,
    }
    yield from ((name, value) for name, value in plain.items() if value is not None)


def _choice(choice: str | None) -> object:
    if choice is None or not choice.startswith("tool:"):
        return choice
    return {"type": "function", "function": {"name": choice.removeprefix("tool:")}}


def _message(message: Message) -> dict[str, object]:
    fields: dict[str, object] = {"role": message.role, "content": _content(message)}
    if message.name is not None:
        fields["name"] = message.name
    if message.tool_call_id is not None:
        fields["tool_call_id"] = message.tool_call_id
    if message.tool_calls:
        fields["tool_calls"] = [
            {
                "id": call.id,
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for call in message.tool_calls
        ]
    return fields


def _content(message: Message) -> object:
    """Write plain text as a string: some servers read nothing else."""
    if not message.parts:
        return None if message.tool_calls else ""
    if all(isinstance(part, TextPart) for part in message.parts):
        return message.text
    return [written for part in message.parts if (written := _part(part)) is not None]


def _part(part: Part) -> object:
    match part:
        case TextPart():
            return {"type": "text", "text": part.text}
        case ImagePart():
            image = {"url": part.url} | ({"detail": part.detail} if part.detail else {})
            return {"type": "image_url", "image_url": image}
        case OpaquePart():
            return Raw(part.raw) if part.kind in OWN_KINDS else document_of(part)


def _tool(tool: Tool) -> dict[str, object]:
    function: dict[str, object] = {"name": tool.name}
    if tool.description:
        function["description"] = tool.description
    if tool.schema is not None:
        function["parameters"] = Raw(tool.schema)
    if tool.strict:
        function["strict"] = True
    return {"type": "function", "function": function}


def _format(shape: Format) -> dict[str, object]:
    if shape.kind == "json_object":
        return {"type": "json_object"}
    schema: dict[str, object] = {"name": shape.name or "answer", "strict": shape.strict}
    if shape.schema is not None:
        schema["schema"] = Raw(shape.schema)
    return {"type": "json_schema", "json_schema": schema}
