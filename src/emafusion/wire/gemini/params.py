"""Every documented parameter of `generateContent`, with its type and range.

Google's API takes names as `maxOutputTokens` and as `max_output_tokens`; `camel` makes them one.
Fields that are not named here are not checked; they are kept in `Query.origin`.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, TypeVar

import msgspec
from msgspec import Meta, Raw, Struct

from emafusion.domain.errors import BadInput
from emafusion.wire import faults

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Text = Annotated[str, Meta(min_length=1)]
Share = Annotated[float, Meta(ge=0, le=1)]
Heat = Annotated[float, Meta(ge=0, le=2)]
Int64 = Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)]
T = TypeVar("T")

_SNAKE = re.compile(r"_([a-z0-9])")


class Content(Struct):
    """One turn; its parts are read one by one."""

    parts: list[Raw]
    role: Literal["user", "model", "function", "system"] | None = None


class Blob(Struct, rename="camel"):
    """Content in place."""

    mime_type: Text
    data: str


class FileData(Struct, rename="camel"):
    """Content by its address."""

    file_uri: Text
    mime_type: str | None = None


class FunctionCall(Struct):
    """An earlier call of a tool."""

    name: Text
    args: Raw = Raw(b"{}")
    id: str | None = None


class FunctionResponse(Struct):
    """What a tool gave."""

    name: Text
    response: Raw = Raw(b"{}")
    id: str | None = None


class Part(Struct, rename="camel"):
    """A piece of a turn."""

    text: str | None = None
    thought: bool | None = None
    thought_signature: str | None = None
    inline_data: Raw = Raw()
    file_data: Raw = Raw()
    function_call: Raw = Raw()
    function_response: Raw = Raw()


class Function(Struct, rename="camel"):
    """A function that the model may call."""

    name: Text
    description: str | None = None
    parameters: Raw = Raw()
    parameters_json_schema: Raw = Raw()
    response: Raw = Raw()
    response_json_schema: Raw = Raw()


class Calling(Struct, rename="camel"):
    """Which function must be called."""

    mode: Literal["MODE_UNSPECIFIED", "AUTO", "ANY", "NONE", "VALIDATED"] | None = None
    allowed_function_names: list[Text] | None = None


class Thinking(Struct, rename="camel"):
    """How much to think, and whether to show it."""

    thinking_budget: Annotated[int, Meta(ge=-1, le=2**31 - 1)] | None = None
    thinking_level: str | None = None
    include_thoughts: bool | None = None


class Generation(Struct, rename="camel"):
    """How to generate."""

    temperature: Heat | None = None
    top_p: Share | None = None
    max_output_tokens: Annotated[int, Meta(ge=1, le=2**31 - 1)] | None = None
    stop_sequences: list[Text] | None = None
    candidate_count: Annotated[int, Meta(ge=1, le=128)] | None = None
    seed: Int64 | None = None
    response_mime_type: str | None = None
    response_schema: Raw = Raw()
    response_json_schema: Raw = Raw()
    response_logprobs: bool | None = None
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    thinking_config: Raw = Raw()


class Params(Struct, rename="camel"):
    """The body."""

    contents: Annotated[list[Raw], Meta(min_length=1)]
    system_instruction: Raw = Raw()
    tools: list[Raw] | None = None
    tool_config: Raw = Raw()
    generation_config: Raw = Raw()


def given(raw: Raw, /) -> bool:
    """Whether a field is there at all.

    >>> given(Raw(b"null")), given(Raw(b"{}"))
    (False, True)
    """
    return bytes(raw) not in (b"", b"null")


def camel(raw: Raw | bytes, where: str, /) -> dict[str, Raw]:
    """Cut an object into its fields, their names in Google's way of writing them.

    >>> sorted(camel(b'{"inline_data": 1, "text": 2}', ""))
    ['inlineData', 'text']
    """
    if not bytes(raw).lstrip().startswith(b"{"):
        raise BadInput("expected an object", where=where or None)
    fields = faults.decode(raw, dict[str, Raw], where=where)
    named: dict[str, Raw] = {}
    for name, value in fields.items():
        known = _SNAKE.sub(lambda found: found[1].upper(), name)
        if known in named:
            raise BadInput("is given twice", where=f"{where}.{known}".lstrip("."))
        named[known] = value
    return named


def shaped(raw: Raw | bytes, shape: type[T], where: str, /) -> T:
    """Read an object whose names may be written either way."""
    return faults.decode(msgspec.json.encode(camel(raw, where)), shape, where=where)
