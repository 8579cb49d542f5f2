"""Every documented parameter of `/v1/chat/completions`, with its type and range.

Ranges are those of OpenAI's reference. An optional parameter may be null, which means absent.
Fields that are not named here are not checked; they are kept in `Query.origin`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

Name = Annotated[str, Meta(min_length=1, max_length=64, pattern=r"^[a-zA-Z0-9_-]+\Z")]
Text = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Bias = Annotated[float, Meta(ge=-100, le=100)]
Level = Literal["low", "medium", "high"]


class CalledFunction(Struct):
    """A tool call's function."""

    name: Text
    arguments: str


class CalledCustom(Struct):
    """A custom tool's call."""

    name: Text
    input: str


class ToolCallParam(Struct):
    """One tool call in an assistant's turn."""

    id: Text
    type: Literal["function", "custom"] = "function"
    function: CalledFunction | None = None
    custom: CalledCustom | None = None


class AudioRef(Struct):
    """An earlier audio answer."""

    id: str


class MessageParam(Struct):
    """One turn; what each role needs is checked in `messages`."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: str | list[Raw] | None = None
    name: str | None = None
    tool_calls: list[ToolCallParam] | None = None
    tool_call_id: str | None = None
    function_call: CalledFunction | None = None
    refusal: str | None = None
    audio: AudioRef | None = None
    reasoning_content: str | None = None


class FunctionParam(Struct):
    """A function the model may call; `parameters` is a JSON schema."""

    name: Name
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None


class Grammar(Struct):
    """What a custom tool's input must match."""

    definition: str
    syntax: Literal["lark", "regex"]


class CustomFormat(Struct):
    """Shape of a custom tool's input."""

    type: Literal["text", "grammar"]
    grammar: Grammar | None = None


class CustomParam(Struct):
    """A tool with free text as input."""

    name: Name
    description: str | None = None
    format: CustomFormat | None = None


class ToolParam(Struct):
    """One tool."""

    type: Literal["function", "custom"]
    function: FunctionParam | None = None
    custom: CustomParam | None = None


class Named(Struct):
    """A tool by name."""

    name: Text


class AllowedTool(Struct):
    """A tool by kind and name."""

    type: str
    function: Named | None = None
    custom: Named | None = None


class AllowedTools(Struct):
    """A choice among some of the tools."""

    mode: Literal["auto", "required"]
    tools: list[AllowedTool]


class ToolChoiceParam(Struct):
    """A tool that must be called, or a list to choose from."""

    type: Literal["function", "custom", "allowed_tools"]
    function: Named | None = None
    custom: Named | None = None
    allowed_tools: AllowedTools | None = None


class SchemaParam(Struct):
    """A JSON schema with its name."""

    name: Name
    description: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None


class FormatParam(Struct):
    """Asked shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: SchemaParam | None = None


class StreamOptions(Struct):
    """How to stream."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class Voice(Struct):
    """A voice by id."""

    id: str


class AudioParam(Struct):
    """How to speak."""

    format: Literal["wav", "aac", "mp3", "flac", "opus", "pcm16"]
    voice: str | Voice


class PredictionParam(Struct):
    """What the answer will mostly be."""

    type: Literal["content"]
    content: str | list[Raw]


class CacheOptions(Struct):
    """How to cache the prompt."""

    mode: Literal["implicit", "explicit"] | None = None
    ttl: str | None = None


class Mode(Struct):
    """What moderation does."""

    mode: Literal["score", "block"]


class ModerationPolicy(Struct):
    """Moderation on the way in and out."""

    input: Mode | None = None
    output: Mode | None = None


class ModerationParam(Struct):
    """Moderation of query and answer."""

    model: str
    policy: ModerationPolicy | None = None


class Place(Struct):
    """Roughly where the user is."""

    city: str | None = None
    country: str | None = None
    region: str | None = None
    timezone: str | None = None


class UserLocation(Struct):
    """Where the user is."""

    type: Literal["approximate"]
    approximate: Place


class WebSearch(Struct):
    """How to search the web."""

    search_context_size: Level | None = None
    user_location: UserLocation | None = None


class Params(Struct):
    """The whole body."""

    model: Text
    messages: Annotated[list[MessageParam], Meta(min_length=1)]
    audio: AudioParam | None = None
    frequency_penalty: Penalty | None = None
    function_call: Literal["none", "auto"] | Named | None = None
    functions: Annotated[list[FunctionParam], Meta(min_length=1, max_length=128)] | None = None
    logit_bias: dict[str, Bias] | None = None
    logprobs: bool | None = None
    max_completion_tokens: Count | None = None
    max_tokens: Count | None = None
    metadata: (
        Annotated[
            dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
            Meta(max_length=16),
        ]
        | None
    ) = None
    modalities: list[Literal["text", "audio"]] | None = None
    moderation: ModerationParam | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    parallel_tool_calls: bool | None = None
    prediction: PredictionParam | None = None
    presence_penalty: Penalty | None = None
    prompt_cache_key: str | None = None
    prompt_cache_options: CacheOptions | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    reasoning_effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = (
        None
    )
    response_format: FormatParam | None = None
    safety_identifier: Annotated[str, Meta(max_length=128)] | None = None
    seed: Int64 | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    stop: str | Annotated[list[str], Meta(max_length=4)] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceParam | None = None
    tools: Annotated[list[ToolParam], Meta(min_length=1)] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    user: str | None = None
    verbosity: Level | None = None
    web_search_options: WebSearch | None = None
