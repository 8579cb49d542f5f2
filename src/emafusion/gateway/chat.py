"""`POST /v1/chat/completions`: one answer, whole or streamed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine

from emafusion.domain.attempt import Reply
from emafusion.domain.errors import Overloaded
from emafusion.domain.outcome import Outcome
from emafusion.gateway.asking import read_asked
from emafusion.gateway.facts import extras, facts, headers
from emafusion.gateway.http import Request, Response, Send, respond
from emafusion.gateway.service import Asked, Service
from emafusion.gateway.stream import Stream
from emafusion.wire.openai import encode_reply, without_logprobs


async def chat(request: Request, send: Send, service: Service) -> None:
    """Answer one chat completion request. Raises `EmafusionError` for what cannot be answered."""
    asked = await read_asked(request, service)
    work = _streamed if asked.query.stream else _whole
    await unless_left(request, work(asked, send, service))


async def unless_left(request: Request, work: Coroutine[None, None, None]) -> None:
    """Do the work, but cancel it at once when the client leaves.

    It runs in the caller's own task: another one would cost a turn of the event loop. So does a
    stop of the gateway cancel it; in both cases what was done still goes to the log.
    """
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine runs in a task
    watch = asyncio.ensure_future(_cancel_when_left(request, task))
    try:
        await work
    except asyncio.CancelledError:
        if not watch.done():
            raise
        task.uncancel()
    finally:
        watch.cancel()


async def _cancel_when_left(request: Request, task: asyncio.Task[object]) -> None:
    await request.left()
    task.cancel()


async def _whole(asked: Asked, send: Send, service: Service) -> None:
    run = service.run(timeout_s=asked.objective.max_latency_s)
    outcome = await service.answer(asked, run)
    reply = reply_of(outcome)
    told = facts(outcome)
    body = encode_reply(
        reply,
        completion_id=f"chatcmpl-{outcome.decision_id}",
        created=int(outcome.created_at),
        model=outcome.answer.candidate or reply.model,
        extras=extras(told),
    )
    await respond(send, Response(body=body, headers=headers(told)))


async def _streamed(asked: Asked, send: Send, service: Service) -> None:
    stream = Stream(asked, send, created=int(time.time()), dropped=service.dropped)
    run = service.run(sink=stream.live, timeout_s=asked.objective.max_latency_s)
    stream.run = run
    async with stream.kept_alive():
        outcome = await service.answer(asked, run)
    if outcome.answer.failure is not None and stream.started:
        await stream.fail(outcome.answer.failure)
    else:
        await stream.finish(reply_of(outcome), outcome)


def reply_of(outcome: Outcome) -> Reply:
    """The reply to give. Raises the failure where there is none.

    Token log-probabilities that only a judge asked for stay here.
    """
    answer = outcome.answer
    if answer.reply is not None:
        asked = outcome.query.settings.logprobs
        return answer.reply if asked else without_logprobs(answer.reply)
    raise answer.failure or Overloaded("no model answered")
