"""A query: one request to be answered, the same whatever dialect it came in."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt
from msgspec import Struct

Embedding = npt.NDArray[np.float32]
Role = Literal["system", "developer", "user", "assistant", "tool"]
FormatKind = Literal["text", "json_object", "json_schema"]


class TextPart(Struct, frozen=True, kw_only=True):
    """A piece of text in a message."""

    text: str


class ImagePart(Struct, frozen=True, kw_only=True):
    """An image: `url` is a `data:` or `https:` address; `detail` is the client's wish."""

    url: str
    detail: str | None = None


class OpaquePart(Struct, frozen=True, kw_only=True):
    """A part that only its own dialect understands (audio, file, thinking), kept as JSON bytes."""

    kind: str
    raw: bytes


Part = TextPart | ImagePart | OpaquePart


class ToolCall(Struct, frozen=True, kw_only=True):
    """A model's wish to run a tool; `arguments` is the JSON text exactly as the model wrote it."""

    id: str
    name: str
    arguments: str


class Message(Struct, frozen=True, kw_only=True):
    """One turn of the conversation; `tool_call_id` is set on a tool's result."""

    role: Role
    parts: tuple[Part, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str | None = None
    name: str | None = None

    @property
    def text(self) -> str:
        r"""All text parts joined by newlines.

        >>> Message(role="user", parts=(TextPart(text="a"), TextPart(text="b"))).text
        'a\nb'
        """
        parts = self.parts
        if len(parts) == 1 and isinstance(parts[0], TextPart):  # nearly always, and asked often
            return parts[0].text
        return "\n".join(part.text for part in parts if isinstance(part, TextPart))


class Tool(Struct, frozen=True, kw_only=True):
    """A function that the model may call; `schema` is its JSON schema as bytes or None."""

    name: str
    description: str = ""
    schema: bytes | None = None
    strict: bool = False


class Format(Struct, frozen=True, kw_only=True):
    """Asked shape of the answer; `schema` (JSON bytes) only for `json_schema`."""

    kind: FormatKind = "text"
    name: str | None = None
    schema: bytes | None = None
    strict: bool = False


class Settings(Struct, frozen=True, kw_only=True):
    """How to generate; None means the provider's default.

    `max_tokens` counts completion tokens; `tool_choice` is `auto`, `none`, `required` or the
    name of one tool as `tool:NAME`; `n` answers are asked for at once.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int = 1
    stop: tuple[str, ...] = ()
    seed: int | None = None
    logprobs: bool = False
    top_logprobs: int | None = None
    tool_choice: str | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None


class Origin(Struct, frozen=True, kw_only=True):
    """The bytes a query or reply came as, so that its own dialect loses nothing.

    `fields`: each top-level JSON field with its raw JSON value, in the order received.
    """

    dialect: str
    fields: tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One request to be answered.

    `requested` is the model name the client sent (`auto` or a concrete one); `stream` and
    `include_usage` say how the client wants the answer delivered, not what it should be. `dataset`:
    the client's own name for this kind of work, where it gives one. `embedding`: float32[e], what
    an embedding model says of the prompt, where one was asked before the query was to be answered.
    """

    query_id: str
    messages: tuple[Message, ...]
    requested: str = "auto"
    tools: tuple[Tool, ...] = ()
    format: Format = field(default_factory=Format)
    settings: Settings = field(default_factory=Settings)
    stream: bool = False
    include_usage: bool = False
    user: str | None = None
    dataset: str | None = None
    origin: Origin | None = field(default=None, repr=False)
    embedding: Embedding | None = field(default=None, repr=False, compare=False)

    @property
    def prompt(self) -> str:
        """Text of the last user message, what most parts look at; empty if there is none."""
        for message in reversed(self.messages):
            if message.role == "user":
                return message.text
        return ""

    @property
    def has_images(self) -> bool:
        """Whether any message carries an image."""
        for message in self.messages:
            for part in message.parts:
                if isinstance(part, ImagePart):
                    return True
        return False

    @property
    def answers_tool_call(self) -> bool:
        """Whether the client's turn holds a tool's result, so that who called it must go on.

        Words may follow the result, as coding agents send them.
        """
        for message in reversed(self.messages):
            if message.role in {"tool", "assistant"}:
                return message.role == "tool"
        return False


def ask(text: str, *, query_id: str = "q", requested: str = "auto") -> Query:
    """Make a query of one user message.

    >>> ask("Hello").prompt
    'Hello'
    """
    message = Message(role="user", parts=(TextPart(text=text),))
    return Query(query_id=query_id, messages=(message,), requested=requested)
