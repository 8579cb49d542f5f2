"""`POST /v1/embeddings`: straight to the model that was named, with retries and the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from msgspec import Struct, structs

from emafusion.domain.attempt import Usage
from emafusion.domain.errors import Cancelled, Failure, NoCandidate, Overloaded
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer, Outcome
from emafusion.flow.direct import direct
from emafusion.gateway.admission import Hold
from emafusion.gateway.admission_charges import Spent
from emafusion.gateway.admission_need import Need
from emafusion.gateway.admission_scope import scoped
from emafusion.gateway.asking import session_named, tags_of
from emafusion.gateway.driver import Run, drive
from emafusion.gateway.embedders import Embedder
from emafusion.gateway.facts import facts, headers
from emafusion.gateway.heavy import worked
from emafusion.gateway.http import Headers, Request, Response, Sender
from emafusion.gateway.service import Service, new_decision_id
from emafusion.wire.embeddings import (
    EmbedQuery,
    asked_query,
    decode_embed,
    encode_embeddings,
    vectors_of,
)
from emafusion.wire.options import Options, options_from_headers

ROUTE = "embedding"
"""By which the log tells these requests from those that were answered in words."""


class _Asked(Struct, frozen=True, kw_only=True):
    query: EmbedQuery
    embedder: Embedder
    options: Options
    request: Request
    decision_id: str


async def embed(request: Request, _sender: Sender, service: Service) -> Response:
    """Answer one request. Raises `EmafusionError` for what cannot be answered."""
    size = len(request.body)
    query = await worked(service, size, lambda: decode_embed(request.body))
    embedder = service.embedders.find(query.requested)
    embedder.remote.dialect.check(query)
    asked = _Asked(
        query=query,
        embedder=embedder,
        options=options_from_headers(request.head.headers),
        request=request,
        decision_id=new_decision_id(),
    )
    usd = _check(asked, service)
    hold = await _held(asked, service, usd)
    outcome = await _answered(asked, service, hold, usd=usd)
    limits = () if hold is None else hold.headers
    return await worked(service, _size(outcome), lambda: _response(asked, outcome, limits))


async def _answered(
    asked: _Asked, service: Service, hold: Hold | None, *, usd: float | None
) -> Outcome:
    """Ask, count what was taken of the key's limits, log; also where the client leaves."""
    created_at, started = time.time(), time.perf_counter()
    candidate = asked.embedder.candidate
    run = service.run(timeout_s=asked.options.max_latency_s)
    run.upstreams = {candidate.deployment: asked.embedder.remote}
    mercy = service.mercies.of(run.health, run.deadline_s)
    query = asked_query(asked.query, query_id=asked.decision_id)
    answer = await drive(direct(query, candidate, mercy=mercy), run)
    outcome = _outcome(asked, answer, run, times=(created_at, started))
    if hold is not None and service.admission is not None:
        await service.admission.settle(hold, _spent(outcome, asked.query, usd))
    await service.ledger.keep(outcome)
    service.watching.answered(outcome)
    if run.left:
        raise asyncio.CancelledError
    return outcome


def _check(asked: _Asked, service: Service) -> float | None:
    """What it may cost at most, None if unknown. Raises where the key or a limit forbids it."""
    candidate, key = asked.embedder.candidate, asked.request.key
    if key is not None:
        name = candidate.name
        scoped(Objective(), key, requested=name, candidates=(candidate,))
    tokens = asked.query.most_tokens
    usd = service.pricer(Usage(prompt_tokens=tokens), candidate.model.price)
    most = asked.options.max_cost_usd
    if most is not None and (usd is None or usd > most):
        told = "its price is unknown" if usd is None else f"it may cost {usd:.4g} US dollars"
        raise NoCandidate(f"{told}, so max_cost_usd cannot be held", where="max_cost_usd")
    return usd


async def _held(asked: _Asked, service: Service, usd: float | None) -> Hold | None:
    key = asked.request.key
    if service.admission is None or key is None or not key.is_counted:
        return None
    need = Need(tokens=asked.query.most_tokens, usd=usd or 0.0)
    return await service.admission.hold(
        key, need, name=asked.decision_id, within_s=service.timeout_s
    )


def _outcome(asked: _Asked, answer: Answer, run: Run, *, times: tuple[float, float]) -> Outcome:
    created_at, started = times
    latency_s = time.perf_counter() - started
    failure, key = answer.failure, asked.request.key
    return Outcome(
        decision_id=asked.decision_id,
        created_at=created_at,
        query=asked_query(asked.query, query_id=asked.decision_id),
        objective=Objective(),
        answer=structs.replace(answer, route=ROUTE),
        status=_status(failure, run),
        latency_s=latency_s,
        overhead_ms=max(0.0, latency_s - run.waited_s) * 1000.0,
        session=asked.options.session or session_named(asked.request),
        key_id=asked.request.key_id,
        tags=(*(key.tags if key else ()), *_tags(asked)),
    )


def _status(failure: Failure | None, run: Run) -> int:
    if run.left:
        return Cancelled.client_status
    return 200 if failure is None else failure.client_status


def _tags(asked: _Asked) -> Iterator[tuple[str, str]]:
    yield from tags_of(asked.options)
    yield "inputs", str(len(asked.query.inputs))
    dropped = asked.embedder.remote.dialect.dropped(asked.query)
    if dropped:
        yield "dropped", ",".join(dropped)


def _spent(outcome: Outcome, query: EmbedQuery, usd: float | None) -> Spent:
    """What is counted of a key's limits; an estimate where the provider did not say."""
    reply, cost = outcome.answer.reply, outcome.answer.evidence.cost_usd
    if reply is None:
        return Spent(usd=0.0, tokens=0, is_estimate=False)
    usage = reply.usage
    tokens = query.most_tokens if usage is None else usage.prompt_tokens
    charged = cost if cost is not None else usd or 0.0
    return Spent(usd=charged, tokens=tokens, is_estimate=cost is None)


def _size(outcome: Outcome) -> int:
    """Bytes of the vectors, about."""
    reply = outcome.answer.reply
    origin = None if reply is None else reply.origin
    return 0 if origin is None else sum(len(value) for _, value in origin.fields)


def _response(asked: _Asked, outcome: Outcome, limits: Headers) -> Response:
    """The answer; `limits`: how those of the key stand."""
    answer = outcome.answer
    if answer.reply is None:
        raise answer.failure or Overloaded("no model answered")
    told = facts(outcome)
    usage = answer.reply.usage
    body = encode_embeddings(
        vectors_of(answer.reply),
        model=asked.embedder.candidate.name,
        as_base64=asked.query.as_base64,
        prompt_tokens=None if usage is None else usage.prompt_tokens,
        extras=told,
    )
    return Response(body=body, headers=(*headers(told), *limits))
