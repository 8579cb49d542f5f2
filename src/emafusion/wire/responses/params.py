"""Every parameter of `/v1/responses` that is read, with its type and range.

An optional parameter may be null, which means absent. What is not named here goes to the model's
API as it came. What is named in `refused` has no counterpart there.
"""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Raw, Struct, field

from emafusion.wire.openai.params import Level, Name, Text

Number = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]],
    Meta(max_length=16),
]
Include = Literal[
    "code_interpreter_call.outputs",
    "computer_call_output.output.image_url",
    "file_search_call.results",
    "message.input_image.image_url",
    "message.output_text.logprobs",
    "reasoning.encrypted_content",
    "web_search_call.action.sources",
    "web_search_call.results",
]


class GrammarParam(Struct):
    """Shape of a custom tool's input: free text, or what a grammar allows."""

    type: Literal["text", "grammar"]
    definition: str | None = None
    syntax: Literal["lark", "regex"] | None = None

    def written(self) -> dict[str, object]:
        """The same as chat completions say it."""
        if self.type == "text":
            return {"type": "text"}
        inner = {"definition": self.definition or "", "syntax": self.syntax or "lark"}
        return {"type": "grammar", "grammar": inner}


class ToolParam(Struct):
    """One tool; `parameters` is a JSON schema."""

    type: str
    name: Name | None = None
    description: str | None = None
    parameters: Raw = Raw()
    strict: bool | None = None
    format: GrammarParam | None = None
    allowed_callers: list[str] | None = None
    defer_loading: bool | None = None
    is_async: bool | None = field(default=None, name="async")


class Chosen(Struct):
    """A tool by kind and name."""

    type: str
    name: str | None = None


class ToolChoiceParam(Struct):
    """A tool that must be called, or a list to choose from."""

    type: str
    name: str | None = None
    mode: Literal["auto", "required"] = "auto"
    tools: list[Chosen] | None = None


class FormatParam(Struct):
    """Asked shape of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    name: Name | None = None
    description: str | None = None
    schema: Raw = Raw()
    strict: bool | None = None


class TextParam(Struct):
    """How the text is to be."""

    format: FormatParam | None = None
    verbosity: Level | None = None


class ReasoningParam(Struct):
    """How to think, and whether a summary of it is wanted."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None
    mode: str | None = None
    context: str | None = None


class StreamOptions(Struct):
    """How to stream."""

    include_obfuscation: bool | None = None


class ItemParam(Struct):
    """One item of the input; what each kind needs is checked in `items`."""

    type: str = "message"
    role: Literal["user", "assistant", "system", "developer"] | None = None
    content: str | list[Raw] | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    input: str | None = None
    output: str | list[Raw] | None = None
    summary: list[Raw] | None = None
    encrypted_content: str | None = None


class Params(Struct):
    """The whole body."""

    model: Text
    input: str | Annotated[list[ItemParam], Meta(min_length=1)] | None = None
    background: bool | None = None
    include: list[Include] | None = None
    instructions: str | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    max_tool_calls: Number | None = None
    metadata: Metadata | None = None
    parallel_tool_calls: bool | None = None
    previous_response_id: Text | None = None
    prompt_cache_key: str | None = None
    reasoning: ReasoningParam | None = None
    safety_identifier: Annotated[str, Meta(max_length=128)] | None = None
    service_tier: Literal["auto", "default", "flex", "scale", "priority", "fast"] | None = None
    store: bool | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    text: TextParam | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoiceParam | None = None
    tools: list[ToolParam] | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    top_p: Annotated[float, Meta(ge=0, le=1)] | None = None
    truncation: Literal["auto", "disabled"] | None = None
    user: str | None = None
    access_programs: Raw = Raw()
    background_options: Raw = Raw()
    context_management: Raw = Raw()
    conversation: Raw = Raw()
    image: Raw = Raw()
    prompt: Raw = Raw()
