"""The language model's actions: as it is, after examples, and by vote."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from .action import Kind
from .fewshot import with_examples
from .generate import Generate
from .generation import Done, Event, Failed, Finished, Job, Piece
from .vote import Draw, elect

_DRAWS = 5
_TEMPERATURE = 0.7
_TOP_P = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class ZeroShot:
    """The model as it is."""

    name: str
    generate: Generate
    kind: Kind = "language model"
    description: str = "the model as it is"

    def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Pass the job on unchanged."""
        return self.generate(job)


@dataclass(frozen=True, slots=True, kw_only=True)
class FewShot:
    """The model after a few worked examples of the rough kind of question."""

    name: str
    generate: Generate
    kind: Kind = "language model"
    description: str = "the model after a few worked examples"

    def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Pass the job on with examples before its last turns."""
        return self.generate(replace(job, messages=with_examples(job.messages)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Vote:
    """Five draws at temperature 0.7; gives the most likely answer of the largest group that agrees.

    Without a seed of the client's the draws are seeded by the conversation, so equal questions get
    equal answers.
    """

    name: str
    generate: Generate
    kind: Kind = "language model"
    description: str = "five draws and a majority vote on the short answer"

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Draw, vote, and give the elected answer as one piece; the usage is that of all draws."""
        if job.sampling.samples != 1:
            yield Failed(
                status=400,
                code="invalid_value",
                message="n: must be 1, this model votes itself",
                param="n",
            )
            return
        draws = [Draw() for _ in range(_DRAWS)]
        last: Event | None = None
        async with contextlib.aclosing(self.generate(_drawn(job))) as events:
            async for last in events:
                _gather(draws, last)
        if isinstance(last, Done):
            elected = elect(draws)
            yield Piece(index=0, text=elected.text, tokens=tuple(elected.tokens))
            yield Finished(index=0, reason=elected.reason)
        if last is not None:
            yield last


def _drawn(job: Job) -> Job:
    text = "\x00".join(message.content for message in job.messages)
    seed = zlib.crc32(text.encode()) % 2**31 if job.sampling.seed is None else job.sampling.seed
    sampling = replace(
        job.sampling, samples=_DRAWS, temperature=_TEMPERATURE, top_p=_TOP_P, seed=seed
    )
    return replace(job, sampling=sampling)


def _gather(draws: list[Draw], event: Event) -> None:
    if isinstance(event, Piece):
        draws[event.index].text += event.text
        draws[event.index].tokens.extend(event.tokens)
    elif isinstance(event, Finished):
        draws[event.index].reason = event.reason
