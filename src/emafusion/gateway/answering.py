"""One answer, whole or streamed, whatever API it was asked for in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from msgspec import structs

from emafusion.domain.attempt import Reply
from emafusion.domain.errors import Overloaded
from emafusion.domain.outcome import Outcome
from emafusion.gateway.aside import HEAVY_BYTES
from emafusion.gateway.asking import read_asked
from emafusion.gateway.face import Face
from emafusion.gateway.facts import facts
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Asked, Service
from emafusion.gateway.stream import Stream
from emafusion.wire.openai import without_logprobs

Handler = Callable[[Request, Sender, Service], Awaitable[Response | None]]
"""Gives the response, or None where it has sent one in pieces."""

Keep = Callable[[Reply, Outcome], Awaitable[None]]
"""What is done with an answer after it was logged and before its end is sent."""


def answering(face: Face, keep: Keep | None = None) -> Handler:
    """Make the handler of a face's requests for an answer.

    It raises `EmafusionError` for what cannot be answered.
    """

    async def answer(request: Request, sender: Sender, service: Service) -> Response | None:
        asked = await _read(request, service, face)
        if asked.query.stream:
            await _stream(asked, face, sender=sender, service=service, keep=keep)
            return None
        return await _whole(asked, face, service=service, keep=keep)

    return answer


async def _read(request: Request, service: Service, face: Face) -> Asked:
    """Read the request; a large one without holding up others."""
    if len(request.body) < HEAVY_BYTES:
        return read_asked(request, service, face)
    asked, left = await service.aside.do(lambda: read_asked(request, service, face))
    if left:
        raise asyncio.CancelledError
    return structs.replace(asked, is_heavy=True)


async def _whole(asked: Asked, face: Face, *, service: Service, keep: Keep | None) -> Response:
    run = service.run(timeout_s=asked.objective.max_latency_s)
    outcome = await service.answer(asked, run)
    reply = reply_of(outcome)
    if keep is not None:
        await keep(reply, outcome)
    told = facts(outcome)
    return Response(body=face.whole(reply, outcome, told), headers=(*face.headers(told), *run.told))


async def _stream(
    asked: Asked, face: Face, *, sender: Sender, service: Service, keep: Keep | None
) -> None:
    stream = Stream(asked, sender, face=face, created=int(time.time()), dropped=service.dropped)
    run = service.run(sink=stream.live, timeout_s=asked.objective.max_latency_s)
    stream.run = run
    with stream.kept_alive():
        outcome = await service.answer(asked, run)
    if outcome.answer.failure is not None and sender.started:
        stream.fail(outcome.answer.failure)
        return
    reply = reply_of(outcome)
    if keep is not None:
        await keep(reply, outcome)
    stream.finish(reply, outcome)


def reply_of(outcome: Outcome) -> Reply:
    """The reply to give. Raises the failure where there is none.

    Token log-probabilities that only a judge asked for stay here.
    """
    answer = outcome.answer
    if answer.reply is not None:
        asked = outcome.query.settings.logprobs
        return answer.reply if asked else without_logprobs(answer.reply)
    raise answer.failure or Overloaded("no model answered")
