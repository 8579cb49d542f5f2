"""A call as the path and body of Gemini's `generateContent`."""

from __future__ import annotations

from urllib.parse import quote

import msgspec
from msgspec import Raw

from emafusion.domain.command import Call
from emafusion.domain.query import Format, Query, Settings, Tool
from emafusion.wire.beyond import RichOrigin, came_in, most_tokens
from emafusion.wire.gemini.generation import generation_of, signs_thoughts
from emafusion.wire.gemini.inbound import COUNTING
from emafusion.wire.gemini.own import counting_fields, is_own, own_fields
from emafusion.wire.gemini.thinking import thinking_of
from emafusion.wire.gemini.turns import Block, system_of, turns_of


def counting_path(name: str, /) -> str:
    """Give the path at which a model's tokens are counted."""
    return path_of(name, stream=False).replace(":generateContent", ":countTokens")


def path_of(name: str, /, *, stream: bool) -> str:
    """Give the path for a model, whose name may carry its folder (`models/`, `tunedModels/`).

    >>> path_of("gemini-2.5-flash", stream=False)
    '/models/gemini-2.5-flash:generateContent'
    """
    folder, _, last = name.rpartition("/")
    place = f"/{quote(folder or 'models')}/{quote(last, safe='')}"
    return place + (":streamGenerateContent?alt=sse" if stream else ":generateContent")


def encode_call(call: Call, /) -> bytes:
    """Write the body, streamed or not: the client's own fields if it spoke this dialect."""
    query = call.query
    if came_in(query, COUNTING):
        return msgspec.json.encode(counting_fields(call))
    if is_own(query):
        return msgspec.json.encode(own_fields(call))
    fields: Block = {
        "contents": turns_of(query.messages, signed=signs_thoughts(call.candidate.remote_name))
    }
    optional: Block = {
        "systemInstruction": system_of(query.messages),
        "tools": [{"functionDeclarations": [_tool(tool) for tool in query.tools]}],
        "toolConfig": _tool_config(query),
        "generationConfig": _generation(call) or None,
    }
    if not query.tools:
        del optional["tools"], optional["toolConfig"]
    fields |= {name: value for name, value in optional.items() if value is not None}
    return msgspec.json.encode(fields)


def shapes_beside_tools(name: str, /) -> bool:
    """Whether the model takes a response format together with tools."""
    return generation_of(name) >= (3, 0)


def _generation(call: Call) -> Block:
    query, settings = call.query, call.query.settings
    fields: Block = {
        "maxOutputTokens": _limit(call),
        "temperature": settings.temperature,
        "topP": settings.top_p,
        "stopSequences": settings.stop or None,
        "candidateCount": settings.n if settings.n > 1 else None,
        "seed": _seed(settings),
        "responseLogprobs": settings.logprobs or call.scored or None,
        "logprobs": settings.top_logprobs or None,
        "thinkingConfig": thinking_of(call),
    }
    if not query.tools or shapes_beside_tools(call.candidate.remote_name):
        fields |= _shape(query.format)
    return {name: value for name, value in fields.items() if value is not None}


def _limit(call: Call) -> int | None:
    foreign = isinstance(call.query.origin, RichOrigin)
    return most_tokens(call) if foreign else call.query.settings.max_tokens


def _seed(settings: Settings) -> int | None:
    """Fold the seed into 31 bits, all that the API takes: equal seeds stay equal."""
    return None if settings.seed is None else settings.seed % 2**31


def _shape(shape: Format) -> Block:
    if shape.kind == "text":
        return {}
    fields: Block = {"responseMimeType": "application/json"}
    return fields | {"responseJsonSchema": Raw(shape.schema)} if shape.schema else fields


def _tool(tool: Tool) -> Block:
    fields: Block = {"name": tool.name, "description": tool.description}
    if tool.schema is not None:
        # `parameters` would take only a subset of JSON schema and refuse the rest; this takes all
        # but the name of the schema language.
        schema = msgspec.json.decode(tool.schema, type=dict[str, Raw])
        schema.pop("$schema", None)
        fields["parametersJsonSchema"] = schema
    return fields


def _tool_config(query: Query) -> Block | None:
    choice = query.settings.tool_choice
    strict = any(tool.strict for tool in query.tools)
    if choice is None or choice == "auto":
        # VALIDATED is AUTO with arguments held to their schema.
        config: Block | None = {"mode": "VALIDATED"} if strict else None
    elif choice.startswith("tool:"):
        config = {"mode": "ANY", "allowedFunctionNames": [choice.removeprefix("tool:")]}
    else:
        config = {"mode": "ANY" if choice == "required" else "NONE"}
    return {"functionCallingConfig": config} if config else None
