"""A language model as `encode`, `add`, `step`, `decode`: what the engine needs of one.

All calls come from one thread, the engine's: the pipeline is not made for several.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from .genai import GenaiTensor
from .generation import FinishReason, Message, Sampling


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """New tokens of answer number `index` of one request; `reason` is set with the last of them."""

    index: int
    token_ids: tuple[int, ...]
    logprobs: tuple[float, ...]
    reason: FinishReason | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """An encoded conversation, chat template included; `input_ids` is the engine's own."""

    token_count: int
    input_ids: GenaiTensor | None = None


class Handle(Protocol):
    """One request inside the pipeline."""

    @property
    def running(self) -> bool:
        """False once the pipeline will do no more work for it and all was read."""
        ...

    def read(self) -> list[Draft]:
        """What has come since the last read; several answers to one prompt come only at the end."""
        ...

    def cancel(self) -> None:
        """Stop it at the next step."""
        ...


class Pipeline(Protocol):
    """A language model that works on all its requests one step at a time."""

    @property
    def context_tokens(self) -> int:
        """The most tokens of prompt and answer together."""
        ...

    @property
    def stop_token_ids(self) -> frozenset[int]:
        """Ids that end an answer and are no part of its text."""
        ...

    @property
    def busy(self) -> bool:
        """Whether it holds requests that are not over."""
        ...

    def encode(self, messages: Sequence[Message]) -> Prompt:
        """Apply the chat template and tokenise; raises one of `ENGINE_ERRORS` where it refuses."""
        ...

    def add(self, prompt: Prompt, sampling: Sampling) -> Handle:
        """Accept a prompt; `sampling.seed` must be set where the temperature is above 0."""
        ...

    def step(self) -> None:
        """Work once on every request; after one of `ENGINE_ERRORS` it must be loaded again."""
        ...

    def decode(self, token_ids: Sequence[int]) -> str:
        """Text of the tokens, special ones and an incomplete last character left out."""
        ...
