"""Nouns of one generation: what is asked of the engine, and the events it reports back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Role: TypeAlias = Literal["system", "user", "assistant"]
FinishReason: TypeAlias = Literal["stop", "length"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One turn of the conversation, plain text."""

    role: Role
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """How tokens are drawn.

    `temperature`: 0 is greedy, up to 2. `top_p`: (0, 1]. `seed`: None draws a fresh one.
    `samples`: answers to one prompt. `json_schema`: text of a JSON schema the answer must follow,
    or None.
    """

    max_tokens: int
    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    samples: int = 1
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    json_schema: str | None = None

    @property
    def runs_alone(self) -> bool:
        """Whether the engine must run nothing beside it.

        The engine keeps one random state for all requests and resets it at each arrival, so a
        seeded draw repeats only alone; and a schema the engine cannot compile breaks every request
        of its batch.
        """
        return self.json_schema is not None or (self.seed is not None and self.temperature > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One generation: a conversation and how to continue it."""

    messages: tuple[Message, ...]
    sampling: Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A generated token as text, with its natural log-probability at temperature 1."""

    text: str
    logprob: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """New text of answer number `index`, with the tokens that made it."""

    index: int
    text: str
    tokens: tuple[Token, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """Answer number `index` is complete."""

    index: int
    reason: FinishReason


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a generation took. `cpu_seconds`: processor time, its share of each batched step."""

    prompt_tokens: int
    completion_tokens: int
    cpu_seconds: float

    def __add__(self, other: Usage) -> Usage:
        """The sum of two generations made for one request."""
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cpu_seconds=self.cpu_seconds + other.cpu_seconds,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """The generation is over: the last event of one that succeeded."""

    usage: Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """The generation could not be done: the last event of one that failed.

    `status` and `code` are those of the HTTP error that the client gets; `param` names the
    offending field, if one is.
    """

    status: int
    code: str
    message: str
    param: str | None = None


Event: TypeAlias = Piece | Finished | Done | Failed
