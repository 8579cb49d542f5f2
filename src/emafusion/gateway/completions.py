"""`POST /v1/completions`: the older API, in which a prompt is continued."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from emafusion.domain.attempt import Delta, Reply
from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.domain.outcome import Outcome
from emafusion.domain.query import Query
from emafusion.gateway.answering import answering, reply_of
from emafusion.gateway.asking import read_asked
from emafusion.gateway.chat import CHAT, HELD
from emafusion.gateway.driver import Run
from emafusion.gateway.face import EVENTS
from emafusion.gateway.facts import Facts
from emafusion.gateway.heavy import worked
from emafusion.gateway.http import Head, Headers, Request, Response, Sender
from emafusion.gateway.service import Asked, Service
from emafusion.wire.completions import (
    Prompted,
    TextWriter,
    decode_prompts,
    encode_completion,
    query_of,
)
from emafusion.wire.completions.answer import Frame
from emafusion.wire.openai import deltas_of

AT_ONCE = 8
"""Prompts of one request that are under way together."""


async def complete(request: Request, sender: Sender, service: Service) -> Response | None:
    """Answer one request. Raises `EmafusionError` for what cannot be answered."""
    body = request.body
    prompted = await worked(service, len(body), lambda: decode_prompts(body))
    if len(prompted.prompts) == 1:
        return await answering(TextFace(prompted, prompted.prompts[0]))(request, sender, service)
    if prompted.params.stream:
        raise BadInput("several prompts are answered whole; ask for one", where="stream")
    return await _several(prompted, request, service)


class TextFace:
    """The face of one prompt."""

    stream_headers: Headers = EVENTS

    def __init__(self, prompted: Prompted, prompt: str) -> None:
        self._prompted = prompted
        self._prompt = prompt
        self._before = prompt if prompted.echo else ""

    def query(self, request: Request, /, *, query_id: str) -> Query:
        """The query, as a chat completion would ask it."""
        del request  # it was read before this face was made
        return query_of(self._prompted, self._prompt, query_id=query_id)

    def whole(self, reply: Reply, outcome: Outcome, told: Facts, /) -> bytes:
        """Write a whole answer."""
        return encode_completion(
            frame_of(reply, outcome),
            (reply,),
            (self._before,),
            logprobs=self._prompted.params.logprobs is not None,
            extras=told,
        )

    def deltas(self, reply: Reply, /) -> tuple[Delta, ...]:
        """Cut a reply that was held back."""
        return deltas_of(reply)

    def writer(self, query: Query, /, *, created: int, model: str) -> CompletionWriter:
        """Make the writer of one stream."""
        frame = Frame(completion_id=f"cmpl-{query.query_id}", created=created, model=model)
        return CompletionWriter(
            TextWriter(
                frame,
                before=self._before,
                include_usage=query.include_usage,
                logprobs=self._prompted.params.logprobs is not None,
            )
        )

    def error(self, error: EmafusionError, /) -> tuple[int, bytes]:
        """Status and body of an error."""
        return CHAT.error(error)

    def credentials(self, head: Head, /) -> Mapping[str, str]:
        """Headers with a gateway key."""
        return CHAT.credentials(head)

    def headers(self, told: Facts, /) -> Headers:
        """Our facts as headers."""
        return CHAT.headers(told)


class CompletionWriter:
    """A stream of chunks."""

    __slots__ = ("_chunks", "delta", "error")

    def __init__(self, chunks: TextWriter) -> None:
        self._chunks = chunks
        self.delta = chunks.delta
        self.error = chunks.error

    def final(self, reply: Reply, told: Facts, /) -> bytes:
        """Write the usage, if it was asked for, and the end marker."""
        return self._chunks.final(reply.usage, told)

    def waiting(self) -> bytes:
        """Write a comment that says why nothing comes."""
        return self._chunks.comment(HELD)


def frame_of(reply: Reply, outcome: Outcome) -> Frame:
    """What is around the choices of an answer."""
    return Frame(
        completion_id=f"cmpl-{outcome.decision_id}",
        created=int(outcome.created_at),
        model=outcome.answer.candidate or reply.model,
    )


async def _several(prompted: Prompted, request: Request, service: Service) -> Response:
    """Answer several prompts, each a query of its own; one that fails is the answer to all."""
    asked = [read_asked(request, service, TextFace(prompted, text)) for text in prompted.prompts]
    outcomes, notices = await _answered(asked, service)
    replies = [reply_of(outcome) for outcome in outcomes]
    body = encode_completion(
        frame_of(replies[0], outcomes[0]),
        replies,
        [text if prompted.echo else "" for text in prompted.prompts],
        logprobs=prompted.params.logprobs is not None,
        extras=_together(outcomes),
    )
    told = CHAT.headers({"decision_id": outcomes[0].decision_id})
    return Response(body=body, headers=(*told, *notices))


async def _answered(asked: Sequence[Asked], service: Service) -> tuple[list[Outcome], Headers]:
    """Answer a few at a time, in their order, and what the client is told besides.

    The first error ends the others.
    """
    at_once = asyncio.Semaphore(AT_ONCE)
    runs = [service.run(timeout_s=each.objective.max_latency_s) for each in asked]

    async def answered(each: Asked, run: Run) -> Outcome:
        async with at_once:
            return await service.answer(each, run)

    pairs = zip(asked, runs, strict=True)
    tasks = [asyncio.ensure_future(answered(each, run)) for each, run in pairs]
    try:
        return await asyncio.gather(*tasks), runs[-1].told
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _together(outcomes: Sequence[Outcome]) -> Facts:
    """What is told of several outcomes at once; a sum with something unknown is not told."""
    told: Facts = {"decision_ids": ",".join(outcome.decision_id for outcome in outcomes)}
    costs = [outcome.answer.evidence.cost_usd for outcome in outcomes]
    known = [cost for cost in costs if cost is not None]
    if len(known) == len(costs):
        told["cost_usd"] = round(sum(known), 9)
    return told
