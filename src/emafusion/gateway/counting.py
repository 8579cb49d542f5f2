"""How many tokens a prompt has: asked of the provider of the model named, else our own estimate."""

from __future__ import annotations

import asyncio
from typing import Protocol

from emafusion.domain.attempt import Attempt
from emafusion.domain.command import Call
from emafusion.domain.errors import DeadlinePassed, Failure, NoCandidate
from emafusion.domain.model import Candidate
from emafusion.flow.eligible import not_allowed
from emafusion.gateway.answering import Handler
from emafusion.gateway.asking import read_asked
from emafusion.gateway.face import Face
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.names import named_candidate
from emafusion.gateway.service import Asked, Service

COUNTED_BY = "x-emafusion-counted-by"
"""Header that says whose count it is: a model's name, or `estimate`."""

ESTIMATE = "estimate"
COUNTING = "count_tokens"
"""What a query asks for that is only to be counted, as `unsupported` names it."""


class CountingFace(Face, Protocol):
    """A face whose queries are only to be counted."""

    def counted(self, tokens: int, /) -> bytes:
        """Write the body that gives the count."""
        ...


def counting(face: CountingFace) -> Handler:
    """Make the handler of a face's requests for a count."""

    async def count(request: Request, _sender: Sender, service: Service) -> Response:
        asked = read_asked(request, service, face)
        tokens, by = await _counted(asked, service)
        return Response(body=face.counted(tokens), headers=((COUNTED_BY, by),))

    return count


async def _counted(asked: Asked, service: Service) -> tuple[int, str]:
    """The count and whose it is. Raises the provider's failure where it refuses the prompt.

    A provider that cannot be reached now is no reason to leave a client without a number.
    """
    named = named_candidate(asked.query.requested, service.candidates)
    if named is not None:
        refused = next(not_allowed(named, asked.objective), None)
        if refused is not None:
            raise NoCandidate(f"'{named.name}' cannot be called: {refused}", where="model")
        if COUNTING not in service.parts.unsupported(asked.query, named):
            attempt = await _asked(named, asked, service)
            if attempt.reply is not None and attempt.reply.usage is not None:
                return attempt.reply.usage.prompt_tokens, named.name
            if attempt.failure is not None and _is_refusal(attempt.failure):
                raise attempt.failure
    return service.parts.encoder.encode(asked.query).prompt_tokens, ESTIMATE


def _is_refusal(failure: Failure) -> bool:
    """Whether the provider refused this prompt; some servers only lack the path."""
    return failure.client_status < 429 and failure.upstream_status != 404


async def _asked(candidate: Candidate, asked: Asked, service: Service) -> Attempt:
    upstream = service.upstreams[candidate.deployment]
    limit_s = asked.objective.max_latency_s or service.timeout_s
    try:
        async with asyncio.timeout(min(limit_s, service.timeout_s)):
            return await upstream.send(Call(candidate=candidate, query=asked.query))
    except TimeoutError:
        failure: Failure = DeadlinePassed("the request's deadline ran out")
        return Attempt(candidate=candidate.name, failure=failure)
