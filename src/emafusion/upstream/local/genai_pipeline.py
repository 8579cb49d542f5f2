"""The pipeline over openvino_genai: loads a GGUF file and speaks the engine's words."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .errors import EngineError
from .genai import (
    ENGINE_ERRORS,
    GenaiConfig,
    GenaiHandle,
    GenaiModule,
    GenaiOutput,
    GenaiPipeline,
    import_engine,
    last_line,
)
from .generation import FinishReason, Message, Sampling
from .gguf_header import GgufHeader, read_header
from .pipeline import Draft, Handle, Pipeline, Prompt


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """How the engine runs.

    `threads`: 1 is steady beside other work, 2 is faster on an idle machine. `exact`: 32-bit
    arithmetic without rounding of activations: the same answers and log-probabilities on every
    processor, for prompts at 2.4 times the cost; otherwise what is fastest on this one.
    """

    threads: int = 1
    exact: bool = False


_EXACT: dict[str, str | int] = {
    "INFERENCE_PRECISION_HINT": "f32",
    "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,
    "KV_CACHE_PRECISION": "f32",
}


def load_pipeline(path: Path, options: EngineOptions) -> Pipeline:
    """Load a GGUF file whose numbers the engine reads right (`requantise.readable` sees to that).

    Raises `EngineError` when openvino_genai is not installed, or cannot read this architecture.
    """
    genai = import_engine()
    header = read_header(path)
    properties: dict[str, str | int] = {"INFERENCE_NUM_THREADS": options.threads}
    if options.exact:
        properties |= _EXACT
    try:
        loaded = genai.ContinuousBatchingPipeline(path, genai.SchedulerConfig(), "CPU", properties)
        pipeline = _GenaiBacked(genai, loaded, header)
        _warm_up(pipeline)
    except ENGINE_ERRORS as error:
        reason = last_line(error)
        raise EngineError(
            f"model file {path}: cannot load architecture {header.architecture!r}: {reason}"
        ) from error
    return pipeline


def _warm_up(pipeline: Pipeline) -> None:
    """Generate two tokens: the first request must not pay for what the engine sets up once."""
    prompt = pipeline.encode((Message(role="user", content="Hello"),))
    pipeline.add(prompt, Sampling(max_tokens=2))
    while pipeline.busy:
        pipeline.step()


class _BackedHandle:
    def __init__(self, handle: GenaiHandle) -> None:
        self._handle = handle

    @property
    def running(self) -> bool:
        return self._handle.get_status().name == "RUNNING" or self._handle.can_read()

    def read(self) -> list[Draft]:
        drafts: list[Draft] = []
        while self._handle.can_read():
            outputs = [output for _, output in sorted(self._handle.read().items())]
            drafts += [_draft(index, output) for index, output in enumerate(outputs)]
        return drafts

    def cancel(self) -> None:
        self._handle.cancel()


class _GenaiBacked:
    def __init__(self, genai: GenaiModule, pipeline: GenaiPipeline, header: GgufHeader) -> None:
        self._genai = genai
        self._pipeline = pipeline
        self._tokenizer = pipeline.get_tokenizer()
        self._next_id = itertools.count()
        self._turn_markers = header.turn_markers
        self.context_tokens = header.context_tokens
        defaults = pipeline.get_config()
        self.stop_token_ids = frozenset({defaults.eos_token_id, *defaults.stop_token_ids})

    @property
    def busy(self) -> bool:
        return self._pipeline.has_non_finished_requests()

    def encode(self, messages: Sequence[Message]) -> Prompt:
        history = [{"role": m.role, "content": self._defuse(m.content)} for m in messages]
        text = self._tokenizer.apply_chat_template(history, add_generation_prompt=True)
        input_ids = self._tokenizer.encode(text, add_special_tokens=False).input_ids
        return Prompt(token_count=int(input_ids.shape[1]), input_ids=input_ids)

    def add(self, prompt: Prompt, sampling: Sampling) -> Handle:
        if prompt.input_ids is None:
            raise ValueError("a prompt of another pipeline")
        config = _generation_config(self._genai, sampling, self.stop_token_ids)
        handle = self._pipeline.add_request(next(self._next_id), prompt.input_ids, config)
        return _BackedHandle(handle)

    def step(self) -> None:
        self._pipeline.step()

    def decode(self, token_ids: Sequence[int]) -> str:
        return self._tokenizer.decode(list(token_ids))

    def _defuse(self, text: str) -> str:
        """Text that spells out no marker of a turn: content cannot speak for another role."""
        for marker in self._turn_markers:
            text = text.replace(marker, f"{marker[0]} {marker[1:]}")
        return text


def _generation_config(
    genai: GenaiModule, sampling: Sampling, stop_token_ids: frozenset[int]
) -> GenaiConfig:
    config = genai.GenerationConfig(max_new_tokens=sampling.max_tokens, logprobs=1)
    config.eos_token_id = min(stop_token_ids)
    config.stop_token_ids = set(stop_token_ids)
    config.presence_penalty = sampling.presence_penalty
    config.frequency_penalty = sampling.frequency_penalty
    if sampling.temperature > 0:
        _draw(config, sampling)
    if sampling.json_schema is not None:
        schema = genai.StructuredOutputConfig(json_schema=sampling.json_schema)
        config.structured_output_config = schema
    return config


def _draw(config: GenaiConfig, sampling: Sampling) -> None:
    config.do_sample = True
    config.temperature = sampling.temperature
    config.top_p = sampling.top_p
    config.rng_seed = sampling.seed or 0
    config.num_return_sequences = sampling.samples
    if sampling.top_k is not None:
        config.top_k = sampling.top_k


def _draft(index: int, output: GenaiOutput) -> Draft:
    reasons: dict[str, FinishReason] = {"STOP": "stop", "LENGTH": "length"}
    return Draft(
        index=index,
        token_ids=tuple(output.generated_ids),
        logprobs=tuple(output.generated_log_probs),
        reason=reasons.get(output.finish_reason.name),
    )
