"""`POST /v1/chat/completions`: one answer, whole or streamed."""

from __future__ import annotations

import time

from emafusion.domain.attempt import Reply
from emafusion.domain.errors import Overloaded
from emafusion.domain.outcome import Outcome
from emafusion.gateway.asking import read_asked
from emafusion.gateway.facts import facts, headers
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Asked, Service
from emafusion.gateway.stream import Stream
from emafusion.wire.openai import encode_reply, without_logprobs


async def chat(request: Request, sender: Sender, service: Service) -> Response | None:
    """Answer one chat completion request. Raises `EmafusionError` for what cannot be answered."""
    asked = read_asked(request, service)
    if asked.query.stream:
        await _stream(asked, sender, service)
        return None
    return await _whole(asked, service)


async def _whole(asked: Asked, service: Service) -> Response:
    run = service.run(timeout_s=asked.objective.max_latency_s)
    outcome = await service.answer(asked, run)
    reply = reply_of(outcome)
    told = facts(outcome)
    body = encode_reply(
        reply,
        completion_id=f"chatcmpl-{outcome.decision_id}",
        created=int(outcome.created_at),
        model=outcome.answer.candidate or reply.model,
        extras=told,
    )
    return Response(body=body, headers=headers(told))


async def _stream(asked: Asked, sender: Sender, service: Service) -> None:
    stream = Stream(asked, sender, created=int(time.time()), dropped=service.dropped)
    run = service.run(sink=stream.live, timeout_s=asked.objective.max_latency_s)
    stream.run = run
    with stream.kept_alive():
        outcome = await service.answer(asked, run)
    if outcome.answer.failure is not None and sender.started:
        stream.fail(outcome.answer.failure)
    else:
        stream.finish(reply_of(outcome), outcome)


def reply_of(outcome: Outcome) -> Reply:
    """The reply to give. Raises the failure where there is none.

    Token log-probabilities that only a judge asked for stay here.
    """
    answer = outcome.answer
    if answer.reply is not None:
        asked = outcome.query.settings.logprobs
        return answer.reply if asked else without_logprobs(answer.reply)
    raise answer.failure or Overloaded("no model answered")
