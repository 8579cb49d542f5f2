"""Answers one chat request: runs the action its model names, whole or as a stream."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import AsyncGenerator

import msgspec

from .action import Action
from .asgi import Send, end_events, send_event, send_head, send_json
from .generation import Done, Event, Failed, Finished, Piece, Usage
from .reply import (
    Chunk,
    ChunkChoice,
    Completion,
    Delta,
    GrowingAnswer,
    error_body,
    logprobs_of,
    usage_body,
)
from .request import ChatRequest


class Chat:
    """One request being answered."""

    def __init__(self, *, request: ChatRequest, action: Action, send: Send) -> None:
        self._request = request
        self._action = action
        self._send = send
        self._id = f"chatcmpl-{secrets.token_hex(12)}"
        self._created = int(time.time())

    async def answer(self) -> None:
        """Run to the end. Cancelling this cancels the generation."""
        async with contextlib.aclosing(self._action.run(self._request.job)) as events:
            await (self._stream(events) if self._request.stream else self._whole(events))

    async def _whole(self, events: AsyncGenerator[Event, None]) -> None:
        answers = [GrowingAnswer() for _ in range(self._request.job.sampling.samples)]
        async for event in events:
            if isinstance(event, Piece):
                answers[event.index].add(event)
            elif isinstance(event, Finished):
                answers[event.index].reason = event.reason
            elif isinstance(event, Failed):
                await send_failed(self._send, event)
            else:
                await send_json(
                    self._send, 200, msgspec.json.encode(self._completion(answers, event.usage))
                )

    def _completion(self, answers: list[GrowingAnswer], usage: Usage) -> Completion:
        logprobs = self._request.wants_logprobs
        choices = [
            answer.choice(index, wants_logprobs=logprobs) for index, answer in enumerate(answers)
        ]
        return Completion(
            id=self._id,
            created=self._created,
            model=self._action.name,
            choices=choices,
            usage=usage_body(usage),
        )

    async def _stream(self, events: AsyncGenerator[Event, None]) -> None:
        first = await anext(events)
        if isinstance(first, Failed):  # nothing was sent yet, so the status can still tell
            await send_failed(self._send, first)
            return
        await send_head(self._send, 200, "text/event-stream; charset=utf-8")
        for index in range(self._request.job.sampling.samples):
            await self._emit(ChunkChoice(index=index, delta=Delta(role="assistant", content="")))
        await self._relay(first)
        async for event in events:
            await self._relay(event)
        await end_events(self._send)

    async def _relay(self, event: Event) -> None:
        if isinstance(event, Piece):
            logprobs = logprobs_of(event.tokens) if self._request.wants_logprobs else None
            await self._emit(
                ChunkChoice(index=event.index, delta=Delta(content=event.text), logprobs=logprobs)
            )
        elif isinstance(event, Finished):
            await self._emit(
                ChunkChoice(index=event.index, delta=Delta(), finish_reason=event.reason)
            )
        elif isinstance(event, Failed):
            await send_event(self._send, msgspec.json.encode(error_body(event)))
        else:
            await self._close(event)

    async def _close(self, done: Done) -> None:
        if self._request.wants_usage:
            chunk = Chunk(
                id=self._id,
                created=self._created,
                model=self._action.name,
                choices=[],
                usage=usage_body(done.usage),
            )
            await send_event(self._send, msgspec.json.encode(chunk))
        await send_event(self._send, b"[DONE]")

    async def _emit(self, choice: ChunkChoice) -> None:
        usage = None if self._request.wants_usage else msgspec.UNSET
        chunk = Chunk(
            id=self._id,
            created=self._created,
            model=self._action.name,
            choices=[choice],
            usage=usage,
        )
        await send_event(self._send, msgspec.json.encode(chunk))


async def send_failed(send: Send, failed: Failed) -> None:
    """An error response."""
    await send_json(send, failed.status, msgspec.json.encode(error_body(failed)))
