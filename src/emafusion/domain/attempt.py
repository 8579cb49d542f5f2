"""What came back: usage, replies, attempts and the pieces of a stream."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from msgspec import Struct

from emafusion.domain.errors import Failure
from emafusion.domain.query import Origin, ToolCall

FinishReason = Literal["stop", "length", "tool_calls", "content_filter"]


class Usage(Struct, frozen=True, kw_only=True):
    """Tokens billed for one call, counts >= 0.

    `prompt_tokens` includes `cached_prompt_tokens` (read from the provider's cache) and
    `cache_write_tokens` (written to it), of which `hour_write_tokens` are to be kept for an hour,
    at a price of their own; `completion_tokens` includes `reasoning_tokens`.
    `cpu_s`: CPU seconds, only for models on this machine.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cached_prompt_tokens: int = 0
    cache_write_tokens: int = 0
    hour_write_tokens: int = 0
    reasoning_tokens: int = 0
    cpu_s: float | None = None


class TokenLogprob(Struct, frozen=True, kw_only=True):
    """Natural log-probability (<= 0) of one generated token.

    `others`: what else might have stood there, by token, as far as a provider tells.
    """

    token: str
    logprob: float
    others: tuple[tuple[str, float], ...] = ()


class Choice(Struct, frozen=True, kw_only=True):
    """One of the `n` answers in a reply; `logprobs` is empty where the provider gave none."""

    text: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: FinishReason = "stop"
    refusal: str | None = None
    reasoning: str | None = None
    logprobs: tuple[TokenLogprob, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """A provider's whole reply; `usage` is None where it did not say. Has at least one choice."""

    choices: tuple[Choice, ...]
    model: str
    usage: Usage | None = None
    origin: Origin | None = field(default=None, repr=False)

    @property
    def text(self) -> str:
        """Text of the first choice."""
        return self.choices[0].text

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """Tool calls of the first choice."""
        return self.choices[0].tool_calls


class Attempt(Struct, frozen=True, kw_only=True):
    """One call and what came of it: either a `reply` or a `failure`.

    `cost_usd` is None where price or usage is unknown. `ttft_s`: seconds to the first token.
    `sent_live`: the client has already seen (part of) it, so it cannot be taken back.
    """

    candidate: str
    reply: Reply | None = None
    failure: Failure | None = None
    cost_usd: float | None = None
    latency_s: float = 0.0
    ttft_s: float | None = None
    sent_live: bool = False

    def __post_init__(self) -> None:
        """Hold the invariant: exactly one of reply and failure."""
        if (self.reply is None) == (self.failure is None):
            msg = "an attempt has either a reply or a failure"
            raise ValueError(msg)


class ToolDelta(Struct, frozen=True, kw_only=True):
    """A fragment of a tool call in a stream; `id` and `name` come with its first fragment."""

    index: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""


class Delta(Struct, frozen=True, kw_only=True):
    """One event of a stream, in any dialect; `raw` is the event's own JSON, for its own dialect.

    `choice` is the index among the `n` answers. An event may carry nothing but `usage`.
    """

    choice: int = 0
    text: str = ""
    reasoning: str = ""
    refusal: str = ""
    tools: tuple[ToolDelta, ...] = ()
    finish_reason: FinishReason | None = None
    logprobs: tuple[TokenLogprob, ...] = ()
    usage: Usage | None = None
    model: str | None = None
    dialect: str | None = None
    raw: bytes | None = None
