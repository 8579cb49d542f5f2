"""The part of openvino_genai that is used, typed; and its import with telemetry made impossible.

The package is an optional extra without usable types: everything past this file and
`pipeline.py` sees only our own nouns.
"""

# ruff: noqa: D102 - what a method does is for openvino_genai to say

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol, cast

from .errors import EngineError

# What the binding turns the engine's C++ exceptions into.
ENGINE_ERRORS = (RuntimeError, ValueError, LookupError, MemoryError)


class Named(Protocol):
    """A member of one of its enumerations."""

    @property
    def name(self) -> str: ...


class GenaiOutput(Protocol):
    """New tokens of one sequence."""

    generated_ids: list[int]
    generated_log_probs: list[float]
    finish_reason: Named


class GenaiHandle(Protocol):
    """One request."""

    def can_read(self) -> bool: ...
    def read(self) -> dict[int, GenaiOutput]: ...
    def get_status(self) -> Named: ...
    def cancel(self) -> None: ...


class GenaiConfig(Protocol):
    """How to generate."""

    eos_token_id: int
    stop_token_ids: set[int]
    do_sample: bool
    temperature: float
    top_p: float
    top_k: int
    rng_seed: int
    num_return_sequences: int
    presence_penalty: float
    frequency_penalty: float
    structured_output_config: object


class GenaiInputs(Protocol):
    """Token ids and their mask, as tensors."""

    input_ids: GenaiTensor


class GenaiTensor(Protocol):
    """An array of the engine's."""

    @property
    def shape(self) -> Sequence[int]: ...


class GenaiTokenizer(Protocol):
    """Text to tokens and back."""

    def apply_chat_template(
        self, history: Sequence[Mapping[str, str]], *, add_generation_prompt: bool
    ) -> str: ...
    def encode(self, prompt: str, *, add_special_tokens: bool) -> GenaiInputs: ...
    def decode(self, tokens: Sequence[int]) -> str: ...


class GenaiPipeline(Protocol):
    """Continuous batching over one model."""

    def get_tokenizer(self) -> GenaiTokenizer: ...
    def get_config(self) -> GenaiConfig: ...
    def add_request(
        self, request_id: int, input_ids: GenaiTensor, generation_config: GenaiConfig, /
    ) -> GenaiHandle: ...
    def has_non_finished_requests(self) -> bool: ...
    def step(self) -> None: ...


class GenaiModule(Protocol):
    """The module itself."""

    def ContinuousBatchingPipeline(  # noqa: N802, PLR0917 - as it is there
        self, path: Path, scheduler: object, device: str, properties: Mapping[str, str | int], /
    ) -> GenaiPipeline: ...
    def SchedulerConfig(self) -> object: ...  # noqa: N802 - its name there
    def GenerationConfig(self, *, max_new_tokens: int, logprobs: int) -> GenaiConfig: ...  # noqa: N802 - its name there
    def StructuredOutputConfig(self, *, json_schema: str) -> object: ...  # noqa: N802 - its name there


def import_engine() -> GenaiModule:
    """Import openvino_genai; raises `EngineError` where it is not installed.

    The package imports `openvino_telemetry`, which reports to a server of the vendor's, and falls
    back to an empty stand-in where that cannot be imported. A None in `sys.modules` is Python's
    way to say that it cannot.
    """
    modules = cast("dict[str, object]", sys.modules)
    modules["openvino_telemetry"] = None
    try:
        return cast("GenaiModule", importlib.import_module("openvino_genai"))
    except ImportError as error:
        raise EngineError(
            f"local models need openvino-genai ({error}): pip install 'emafusion[local]'"
        ) from error


def last_line(error: Exception) -> str:
    """The last line of an engine's message without its time stamp and source position."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    return re.sub(r"^(\[[\d:]+\] )?(\S+:\d+: )?", "", lines[-1])
