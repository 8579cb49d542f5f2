"""The body of `POST /v1/chat/completions`: every known field with its range.

A field that is not listed is an error, so that nothing a client asks for is dropped in silence.
Listed without effect, because they cannot change what this model answers: `user`, `metadata`,
`store`, `service_tier`, `safety_identifier`, `prompt_cache_key`, `prompt_cache_retention`,
`reasoning_effort`, `verbosity`, `parallel_tool_calls`, `top_logprobs` beyond the chosen token, and
an empty or "none" form of what is unsupported.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec
from msgspec import Meta, Raw

_Penalty: TypeAlias = Annotated[float, Meta(ge=-2, le=2)]
_StopText: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1000)]


# A union of Raw and None is not one to msgspec, so a missing value is a JSON null.
NOTHING = Raw(b"null")


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """One part of a message's content; only `text` parts are understood."""

    type: str
    text: str | None = None


class ChatMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One message; `content` may be missing only where the role allows it."""

    role: str
    content: str | list[Part] | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: Raw = NOTHING
    tool_call_id: str | None = None
    function_call: Raw = NOTHING
    audio: Raw = NOTHING
    annotations: Raw = NOTHING


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a stream carries besides the answer."""

    include_usage: bool | None = None
    include_obfuscation: bool | None = None


class SchemaFormat(msgspec.Struct, frozen=True, kw_only=True):
    """The named schema of a `json_schema` response format."""

    name: str
    schema: Raw = NOTHING
    description: str | None = None
    strict: bool | None = None


class ResponseFormat(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`text`, `json_object` or `json_schema`."""

    type: str
    json_schema: SchemaFormat | None = None


class ChatBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole request."""

    model: str
    messages: Annotated[list[ChatMessage], Meta(min_length=1, max_length=2048)]
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=16)] | None = None
    stop: _StopText | Annotated[list[_StopText], Meta(max_length=16)] | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    presence_penalty: _Penalty | None = None
    frequency_penalty: _Penalty | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None

    tools: list[Raw] | None = None
    tool_choice: Raw = NOTHING
    functions: list[Raw] | None = None
    function_call: Raw = NOTHING
    logit_bias: dict[str, float] | None = None
    modalities: list[str] | None = None
    audio: Raw = NOTHING
    prediction: Raw = NOTHING
    web_search_options: Raw = NOTHING

    user: str | None = None
    metadata: Raw = NOTHING
    store: bool | None = None
    service_tier: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    prompt_cache_retention: str | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    parallel_tool_calls: bool | None = None
