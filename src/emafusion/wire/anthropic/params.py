"""Every documented parameter of `/v1/messages`, with its type and range.

Fields that are not named here are not checked; they are kept in `Query.origin`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct

Text = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class MessageParam(Struct):
    """One turn: a text, or blocks, which are read one by one."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Raw]


class Metadata(Struct):
    """About the request."""

    user_id: str | None = None


class ToolParam(Struct):
    """One tool. With another type than `custom` it is one of the provider's own."""

    name: str | None = None
    type: str | None = None
    description: str | None = None
    input_schema: Raw = Raw()
    strict: bool | None = None
    cache_control: Raw = Raw()
    defer_loading: bool | None = None
    eager_input_streaming: bool | None = None
    input_examples: Raw = Raw()
    allowed_callers: list[str] | None = None


class ToolChoiceParam(Struct):
    """Which tool must be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: Text | None = None
    disable_parallel_tool_use: bool | None = None


class ThinkingParam(Struct):
    """Whether and how much to think; `budget_tokens` for type `enabled`."""

    type: Text
    budget_tokens: Annotated[int, Meta(ge=1024)] | None = None
    display: str | None = None


class FormatParam(Struct):
    """Asked shape of the answer."""

    type: Literal["json_schema"]
    schema: Raw


class OutputConfig(Struct):
    """Effort, and the asked shape of the answer."""

    effort: Literal["low", "medium", "high", "xhigh", "max"] | None = None
    format: FormatParam | None = None


class Prompt(Struct):
    """What `/v1/messages/count_tokens` knows too."""

    model: Text
    messages: Annotated[list[MessageParam], Meta(min_length=1, max_length=100_000)]
    system: str | list[Raw] | None = None
    tools: list[Raw] | None = None
    tool_choice: ToolChoiceParam | None = None
    thinking: ThinkingParam | None = None
    output_config: OutputConfig | None = None
    output_format: FormatParam | None = None


class Limited(Struct):
    """The one parameter that a request for an answer must have besides."""

    max_tokens: Count


class Params(Prompt):
    """The body of `/v1/messages`; `max_tokens` is required too, see `Limited`."""

    max_tokens: Count | None = None
    stop_sequences: list[Text] | None = None
    stream: bool | None = None
    temperature: Share | None = None
    top_p: Share | None = None
    top_k: Count | None = None
    metadata: Metadata | None = None
    service_tier: str | None = None
