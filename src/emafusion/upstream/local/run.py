"""One request inside the engine: from admission to its last event, on the engine's thread."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace

from .genai import ENGINE_ERRORS, last_line
from .generation import Done, Event, Failed, Finished, FinishReason, Job, Piece, Sampling, Usage
from .pipeline import Draft, Handle, Pipeline
from .text import TextAssembler

# A prompt token costs about 1/14 of a generated one (800 against 57 tokens a second, one thread,
# measured); the pipeline takes at most 256 prompt tokens a step. Used only to share a step's
# processor time among the requests of a batch.
_PROMPT_TOKENS_PER_UNIT = 14.0
_PROMPT_TOKENS_PER_STEP = 256


@dataclass(slots=True, kw_only=True)
class Order:
    """A job that was submitted. `cancelled` may be set by any thread."""

    job: Job
    listener: Callable[[Event], None]
    cancelled: bool = False


def admit(order: Order, pipeline: Pipeline) -> Run | None:
    """Encode and hand over to the pipeline; None, and a `Failed` told, when it is refused."""
    try:
        prompt = pipeline.encode(order.job.messages)
        room = pipeline.context_tokens - prompt.token_count
        if room <= 0:
            order.listener(_too_long(prompt.token_count, pipeline.context_tokens))
            return None
        sampling = _effective(order.job.sampling, room)
        handle = pipeline.add(prompt, sampling)
    except ENGINE_ERRORS as error:  # it refuses this request
        failed = Failed(status=400, code="refused_by_engine", message=last_line(error))
        order.listener(failed)
        return None
    answers = [
        TextAssembler(pipeline.decode, index=index, stop=sampling.stop)
        for index in range(sampling.samples)
    ]
    return Run(
        order,
        handle,
        answers=answers,
        prompt_tokens=prompt.token_count,
        stop_ids=pipeline.stop_token_ids,
    )


class Run:
    """An order that the pipeline works on."""

    def __init__(
        self,
        order: Order,
        handle: Handle,
        *,
        answers: list[TextAssembler],
        prompt_tokens: int,
        stop_ids: frozenset[int],
    ) -> None:
        self.order = order
        self._handle = handle
        self._answers = answers
        self._open = set(range(len(answers)))
        self._stop_ids = stop_ids
        self._prompt_tokens = prompt_tokens
        self._prompt_left = prompt_tokens
        self._completion_tokens = 0
        self._cpu_seconds = 0.0

    @property
    def weight(self) -> float:
        """Its share of the coming step's work, in units of one generated token."""
        if self._prompt_left > 0:
            return min(self._prompt_left, _PROMPT_TOKENS_PER_STEP) / _PROMPT_TOKENS_PER_UNIT
        return float(max(1, len(self._open)))

    def stop_if_cancelled(self) -> None:
        """Tell the pipeline to stop before the next step."""
        if self.order.cancelled:
            self._handle.cancel()

    def collect(self) -> None:
        """Read what the step brought and pass it on."""
        self._prompt_left -= min(self._prompt_left, _PROMPT_TOKENS_PER_STEP)
        if self.order.cancelled:
            return
        for draft in self._handle.read():
            self._prompt_left = 0
            self._take(draft)

    def charge(self, cpu_seconds: float) -> None:
        """Add its share of a step's processor time."""
        self._cpu_seconds += cpu_seconds

    def finish_if_over(self) -> bool:
        """Send the last event if the request is over; True if it is."""
        if self.order.cancelled:
            self._handle.cancel()
            return True
        if self._open and self._handle.running:
            return False
        self.order.listener(_OUT_OF_MEMORY if self._open else Done(usage=self._usage()))
        return True

    def fail(self, error: Exception) -> None:
        """Report that the step failed."""
        self.order.listener(_step_failed(error, self.order.job.sampling))

    def _take(self, draft: Draft) -> None:
        if draft.index not in self._open:
            return
        answer = self._answers[draft.index]
        self._completion_tokens += len(draft.token_ids)
        pairs = zip(draft.token_ids, draft.logprobs, strict=True)
        shown = [
            (token_id, logprob) for token_id, logprob in pairs if token_id not in self._stop_ids
        ]
        self._show(answer.push([t for t, _ in shown], [p for _, p in shown]))
        if answer.stopped or draft.reason is not None:
            self._close(draft.index, "stop" if answer.stopped else draft.reason or "stop")

    def _close(self, index: int, reason: FinishReason) -> None:
        self._show(self._answers[index].finish())
        for copy in self._copies(index):
            self.order.listener(Finished(index=copy, reason=reason))
        self._open.discard(index)
        if not self._open:
            self._handle.cancel()  # no effect on one that ended by itself

    def _show(self, piece: Piece) -> None:
        if piece.text or piece.tokens:
            for copy in self._copies(piece.index):
                self.order.listener(replace(piece, index=copy))

    def _copies(self, index: int) -> range:
        """Indexes that get this answer: greedy answers are equal, one is made and shown as all."""
        sampling = self.order.job.sampling
        return range(sampling.samples) if sampling.temperature == 0 else range(index, index + 1)

    def _usage(self) -> Usage:
        return Usage(
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._completion_tokens,
            cpu_seconds=self._cpu_seconds,
        )


_OUT_OF_MEMORY = Failed(
    status=503,
    code="out_of_memory",
    message="the engine gave the request up: no memory for its context; shorten it or try later",
)


def _effective(sampling: Sampling, room: int) -> Sampling:
    """Limits that fit the context, and a random seed for a draw that has none.

    Without one the engine would seed each draw with 0 and repeat itself for ever.
    """
    seed = secrets.randbelow(2**31) if sampling.seed is None else sampling.seed
    samples = 1 if sampling.temperature == 0 else sampling.samples
    max_tokens = min(sampling.max_tokens, room)
    return replace(sampling, max_tokens=max_tokens, seed=seed, samples=samples)


def _too_long(prompt_tokens: int, context_tokens: int) -> Failed:
    message = (
        f"This model's maximum context length is {context_tokens} tokens, but the messages come "
        f"to {prompt_tokens} or more, which leaves no room for an answer. Please shorten them."
    )
    return Failed(status=400, code="context_length_exceeded", message=message, param="messages")


def _step_failed(error: Exception, sampling: Sampling) -> Failed:
    if sampling.json_schema is None:
        return Failed(status=503, code="engine_error", message=last_line(error))
    message = f"response_format: the engine cannot follow this schema: {last_line(error)}"
    return Failed(status=400, code="unsupported_schema", message=message, param="response_format")
