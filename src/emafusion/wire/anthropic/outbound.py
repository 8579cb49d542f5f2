"""A call as the body of Anthropic's `/messages`."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Raw

from emafusion.domain.command import Call
from emafusion.domain.query import Settings, Tool
from emafusion.wire.anthropic.generation import generation_of
from emafusion.wire.anthropic.own import is_own, own_fields
from emafusion.wire.anthropic.schema import strict_schema
from emafusion.wire.anthropic.thinking import Thinking, thinking_of
from emafusion.wire.anthropic.turns import Block, system_of, turns_of
from emafusion.wire.beyond import RichOrigin, most_tokens

_DEFAULT_MAX_TOKENS = 4096


def encode_call(call: Call, /, *, stream: bool) -> bytes:
    """Write the body: the client's own fields if it spoke this dialect, else from the nouns."""
    query = call.query
    if is_own(query):
        fields = own_fields(call) | {"model": call.candidate.remote_name}
        return msgspec.json.encode(fields | {"stream": True} if stream else fields)
    max_tokens = _max_tokens(call)
    thinking = thinking_of(call, max_tokens)
    fields = {
        "model": call.candidate.remote_name,
        "max_tokens": max_tokens,
        "messages": turns_of(query.messages),
    }
    optional: Block = {
        "system": system_of(query.messages) or None,
        "stop_sequences": [stop for stop in query.settings.stop if stop.strip()] or None,
        "metadata": {"user_id": query.user} if query.user else None,
        "thinking": thinking.field,
        "output_config": _output_config(call, thinking) or None,
        "stream": stream or None,
    }
    fields |= {name: value for name, value in optional.items() if value is not None}
    fields |= dict(_sampling(call, thinking))
    fields |= dict(_tools(call))
    return msgspec.json.encode(fields)


def _max_tokens(call: Call) -> int:
    """Take the client's limit; the API wants one, so else the most that the model can write."""
    foreign = isinstance(call.query.origin, RichOrigin)
    asked = most_tokens(call) if foreign else call.query.settings.max_tokens
    if asked is not None:
        return asked
    return call.candidate.model.max_completion_tokens or _DEFAULT_MAX_TOKENS


def _sampling(call: Call, thinking: Thinking) -> Iterator[tuple[str, object]]:
    """Write temperature or top_p: older models take one of them, and only without thinking."""
    settings = call.query.settings
    if thinking.field is not None or not generation_of(call.candidate.remote_name).sampling:
        return
    if settings.temperature is not None:
        yield "temperature", min(settings.temperature, 1.0)
    elif settings.top_p is not None:
        yield "top_p", settings.top_p


def _output_config(call: Call, thinking: Thinking) -> Block:
    config: Block = {"effort": thinking.effort} if thinking.effort else {}
    shape = call.query.format
    if shape.schema is not None and "json_schema" in call.candidate.model.abilities:
        config["format"] = {"type": "json_schema", "schema": strict_schema(shape.schema)}
    return config


def _tools(call: Call) -> Iterator[tuple[str, object]]:
    query = call.query
    if not query.tools:
        return
    strict = "json_schema" in call.candidate.model.abilities
    yield "tools", [_tool(tool, strict=strict and tool.strict) for tool in query.tools]
    choice = _choice(query.settings)
    if choice is not None:
        yield "tool_choice", choice


def _tool(tool: Tool, *, strict: bool) -> Block:
    fields: Block = {"name": tool.name, "input_schema": _input_schema(tool.schema, strict=strict)}
    if tool.description:
        fields["description"] = tool.description
    return fields | {"strict": True} if strict else fields


def _input_schema(schema: bytes | None, *, strict: bool) -> Block:
    """Give the schema with `type` set, which the API wants on top and clients leave out."""
    fields: Block = {"type": "object"}
    if schema is None:
        return fields | {"properties": dict[str, object]()}
    if strict:
        return fields | strict_schema(schema)
    return fields | dict[str, object](msgspec.json.decode(schema, type=dict[str, Raw]))


def _choice(settings: Settings) -> Block | None:
    choice = settings.tool_choice
    alone = settings.parallel_tool_calls is False
    if choice == "none":
        return {"type": "none"}
    if choice is None and not alone:
        return None
    kinds: dict[str, Block] = {"auto": {"type": "auto"}, "required": {"type": "any"}}
    named: Block = {"type": "tool", "name": (choice or "").removeprefix("tool:")}
    written = kinds.get(choice or "auto", named)
    return written | {"disable_parallel_tool_use": True} if alone else written
