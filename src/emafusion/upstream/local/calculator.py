"""The calculator as an action: a program among language models, and labelled so."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from .action import Kind
from .generation import Done, Event, Failed, Finished, Job, Piece, Usage
from .specialist import solve


@dataclass(frozen=True, slots=True, kw_only=True)
class Calculator:
    """Exact arithmetic and dates by a program; anything else is refused with 422 `not_my_task`."""

    name: str = "calculator"
    kind: Kind = "program"
    description: str = "a program, no language model: exact arithmetic and dates, else not_my_task"

    async def run(self, job: Job) -> AsyncGenerator[Event, None]:
        """Answer a lone question that is understood to the last word; no tokens are used."""
        started = time.process_time()
        text = _lone_question(job)
        answer = None if text is None else solve(text)
        if answer is None:
            yield _NOT_MY_TASK
            return
        for index in range(job.sampling.samples):
            yield Piece(index=index, text=answer, tokens=())
            yield Finished(index=index, reason="stop")
        spent = time.process_time() - started
        yield Done(usage=Usage(prompt_tokens=0, completion_tokens=0, cpu_seconds=spent))


_NOT_MY_TASK = Failed(
    status=422,
    code="not_my_task",
    message="this program answers arithmetic and dates only, and did not understand all of this",
)
_HARMLESS_SYSTEM = "you are a helpful assistant"


def _lone_question(job: Job) -> str | None:
    """The text of the only turn. Instructions, earlier turns or a schema could ask for more."""
    turns = [message for message in job.messages if message.role != "system"]
    system = [message.content for message in job.messages if message.role == "system"]
    plain = all(text.strip(" .\n").lower() in ("", _HARMLESS_SYSTEM) for text in system)
    if len(turns) != 1 or turns[0].role != "user" or not plain or job.sampling.json_schema:
        return None
    return turns[0].content
