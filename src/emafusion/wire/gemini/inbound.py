"""A request in Google's dialect -> Query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import msgspec
from msgspec import Raw

from emafusion.domain.errors import BadInput
from emafusion.domain.query import Format, Message, Query, Settings, Tool
from emafusion.wire import faults
from emafusion.wire.beyond import RichOrigin
from emafusion.wire.body import Fields, fields_of
from emafusion.wire.gemini.contents import Reading
from emafusion.wire.gemini.params import (
    Calling,
    Function,
    Generation,
    Params,
    Thinking,
    camel,
    given,
    shaped,
)
from emafusion.wire.gemini.schema import json_schema

COUNTING = "gemini.count_tokens"
"""The dialect of a query whose prompt is only to be counted: no other API can answer it."""

_EMPTY = frozenset({b"null", b"{}", b"[]", b"false", b'""'})
_IN_NOUNS = frozenset(
    {"contents", "emafusion", "generationConfig", "systemInstruction", "toolConfig", "tools"}
)
_GENERATION_IN_NOUNS = frozenset(
    {
        "candidateCount", "logprobs", "maxOutputTokens", "responseJsonSchema", "responseLogprobs",
        "responseMimeType", "responseSchema", "seed", "stopSequences", "temperature",
        "thinkingConfig", "topP",
    }
)  # fmt: skip
_CALLED: Mapping[str, str] = {
    "topK": "top_k",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
    "responseModalities": "modalities",
    "safetySettings": "safety_settings",
    "mediaResolution": "media_resolution",
    "serviceTier": "service_tier",
    "labels": "metadata",
}
"""Names of parameters as OpenAI calls them, or would."""

_TEXT_ONLY = frozenset({b'["TEXT"]', b'["text"]'})
_SOME_BUDGET = 4096
_MUCH_BUDGET = 16384


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What the address of a request says: the model, and how the answer is to be delivered."""

    model: str
    stream: bool = False
    counts: bool = False


def decode_query(body: bytes, asked: Asked, /, *, query_id: str) -> Query:
    """Read the body of `generateContent` or `countTokens`.

    Every documented parameter is checked; unknown fields are kept in `Query.origin`. Raises
    `BadInput` with the field that is wrong (`contents[2].parts[0].text`), and nothing else.

    >>> body = b'{"contents": [{"parts": [{"text": "Hi"}]}]}'
    >>> decode_query(body, Asked(model="auto"), query_id="q1").prompt
    'Hi'
    """
    fields = _unwrapped(fields_of(body)) if asked.counts else _named(fields_of(body))
    params = faults.decode(msgspec.json.encode({n: Raw(v) for n, v in fields}), Params)
    reading = Reading(beyond=set(_extras(fields)))
    if asked.counts:
        reading.beyond.add("count_tokens")
    generation = _generation(params.generation_config, reading)
    tools = tuple(_tools(params.tools or [], reading))
    return Query(
        query_id=query_id,
        messages=tuple(_messages(params, reading)),
        requested=asked.model,
        tools=tools,
        format=_format(generation),
        settings=_settings(generation, params, tools),
        stream=asked.stream,
        include_usage=True,
        origin=RichOrigin(
            dialect=COUNTING if asked.counts else "gemini",
            fields=fields,
            beyond=tuple(sorted(reading.beyond)),
        ),
    )


def shows_thoughts(query: Query, /) -> bool:
    """Whether the client asked to see thoughts, which otherwise stay with the model."""
    given_fields = dict(query.origin.fields) if query.origin is not None else {}
    config = given_fields.get("generationConfig", b"null")
    if config == b"null":
        return False
    thinking = camel(config, "generationConfig").get("thinkingConfig", Raw(b"null"))
    return given(thinking) and bool(shaped(thinking, Thinking, "").include_thoughts)


def _named(fields: Fields) -> Fields:
    """The fields by Google's names for them; a name of ours keeps its own."""
    named = camel(msgspec.json.encode({name: Raw(value) for name, value in fields}), "")
    return tuple((name, bytes(value)) for name, value in named.items())


def _unwrapped(fields: Fields) -> Fields:
    """The request whose tokens are to be counted, which may stand in one of its own."""
    named = dict(_named(fields))
    wrapped = named.pop("generateContentRequest", b"null")
    if wrapped == b"null":
        return tuple(named.items())
    inner = camel(wrapped, "generateContentRequest")
    inner.pop("model", None)
    return tuple((name, bytes(value)) for name, value in inner.items())


def _messages(params: Params, reading: Reading) -> Iterator[Message]:
    if given(params.system_instruction):
        yield from reading.system(params.system_instruction, "systemInstruction")
    for n, raw in enumerate(params.contents):
        yield from reading.turn(raw, f"contents[{n}]")


def _tools(raws: list[Raw], reading: Reading) -> Iterator[Tool]:
    """The functions; whatever else is in a tool is run by Google, and no other API has it."""
    for n, raw in enumerate(raws):
        for name, value in camel(raw, f"tools[{n}]").items():
            where = f"tools[{n}].{name}"
            if name == "functionDeclarations":
                for k, one in enumerate(faults.decode(value, list[Raw], where=where)):
                    yield _tool(one, f"{where}[{k}]", reading)
            else:
                reading.beyond.add("tools")


def _tool(raw: Raw, where: str, reading: Reading) -> Tool:
    function = reading.read(raw, Function, where)
    if given(function.response) or given(function.response_json_schema):
        reading.beyond.add("response_schema")
    schema: bytes | None = None
    if given(function.parameters):
        schema = json_schema(_object(function.parameters, f"{where}.parameters"))
    if given(function.parameters_json_schema):
        schema = _object(function.parameters_json_schema, f"{where}.parametersJsonSchema")
    return Tool(name=function.name, description=function.description or "", schema=schema)


def _object(raw: Raw, where: str) -> bytes:
    schema = bytes(raw)
    if not schema.startswith(b"{"):
        raise BadInput("expected a schema (an object)", where=where)
    return schema


def _generation(raw: Raw, reading: Reading) -> Generation:
    if not given(raw):
        return Generation()
    fields = camel(raw, "generationConfig")
    for name, value in fields.items():
        empty = bytes(value) in _EMPTY or (
            name == "responseModalities" and bytes(value) in _TEXT_ONLY
        )
        if name not in _GENERATION_IN_NOUNS and not empty:
            reading.beyond.add(_CALLED.get(name, name))
    return shaped(raw, Generation, "generationConfig")


def _settings(generation: Generation, params: Params, tools: tuple[Tool, ...]) -> Settings:
    return Settings(
        max_tokens=generation.max_output_tokens,
        temperature=generation.temperature,
        top_p=generation.top_p,
        n=generation.candidate_count or 1,
        stop=tuple(generation.stop_sequences or ()),
        seed=generation.seed,
        logprobs=bool(generation.response_logprobs),
        top_logprobs=generation.logprobs,
        tool_choice=_choice(params.tool_config, tools),
        reasoning_effort=_effort(generation),
    )


def _choice(raw: Raw, tools: tuple[Tool, ...]) -> str | None:
    """Which tool must be called; one of several named ones is any of them."""
    config = camel(raw, "toolConfig") if given(raw) else {}
    calling = config.get("functionCallingConfig", Raw())
    if not given(calling):
        return None
    where = "toolConfig.functionCallingConfig"
    choice = shaped(calling, Calling, where)
    names = choice.allowed_function_names or []
    for name in names:
        if name not in {tool.name for tool in tools}:
            raise BadInput(f"names no tool of this request: {name!r}", where=where)
    if choice.mode == "ANY":
        if not tools:
            raise BadInput("'ANY' needs tools to choose from", where=where)
        return f"tool:{names[0]}" if len(names) == 1 else "required"
    return {"AUTO": "auto", "NONE": "none", "VALIDATED": "auto"}.get(choice.mode or "")


def _effort(generation: Generation) -> str | None:
    """How much to think, in OpenAI's words; None where the client leaves it open."""
    if not given(generation.thinking_config):
        return None
    thinking = shaped(generation.thinking_config, Thinking, "generationConfig.thinkingConfig")
    if thinking.thinking_level is not None:
        return thinking.thinking_level.lower()
    budget = thinking.thinking_budget
    if budget is None or budget < 0:
        return None
    if budget == 0:
        return "none"
    if budget < _SOME_BUDGET:
        return "low"
    return "medium" if budget < _MUCH_BUDGET else "high"


def _format(generation: Generation) -> Format:
    if generation.response_mime_type in (None, "text/plain"):
        return Format()
    if generation.response_mime_type != "application/json":
        what = "must be one of 'text/plain', 'application/json'"
        raise BadInput(what, where="generationConfig.responseMimeType")
    schema = None
    if given(generation.response_schema):
        where = "generationConfig.responseSchema"
        schema = json_schema(_object(generation.response_schema, where))
    if given(generation.response_json_schema):
        where = "generationConfig.responseJsonSchema"
        schema = _object(generation.response_json_schema, where)
    if schema is None:
        return Format(kind="json_object")
    return Format(kind="json_schema", name="answer", schema=schema)


def _extras(fields: Fields) -> Iterator[str]:
    """Names of the fields that the nouns have no place for, as far as they say something."""
    for name, value in fields:
        if name not in _IN_NOUNS and value not in _EMPTY:
            yield _CALLED.get(name, name)
