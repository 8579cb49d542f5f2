"""`POST /v1/embeddings`: straight to the model that was named, with retries and the log."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator

from msgspec import Struct

from emafusion.domain.attempt import Attempt, Choice, Reply, Usage
from emafusion.domain.errors import DeadlinePassed, Failure, NoCandidate, Retryable
from emafusion.domain.evidence import CallStep, Evidence, Plan
from emafusion.domain.model import Objective
from emafusion.domain.outcome import Answer, Outcome
from emafusion.domain.query import Query
from emafusion.gateway.admission import Hold
from emafusion.gateway.admission_charges import Spent
from emafusion.gateway.admission_need import Need
from emafusion.gateway.admission_scope import scoped
from emafusion.gateway.asking import tags_of
from emafusion.gateway.embedders import Embedder
from emafusion.gateway.facts import facts, headers
from emafusion.gateway.http import Request, Response, Sender
from emafusion.gateway.service import Service, new_decision_id
from emafusion.wire.embeddings import Embedded, EmbedQuery, decode_embed, encode_embeddings
from emafusion.wire.options import Options, options_from_headers

TRIES = 3
WAIT_S = 0.2
"""Before the second try, where the provider does not say; twice as long before the third."""

MOST_WAIT_S = 2.0
"""Longer waits that a provider asks for are told to the client instead."""


class _Asked(Struct, frozen=True, kw_only=True):
    query: EmbedQuery
    embedder: Embedder
    options: Options
    request: Request
    decision_id: str


class _Tried(Struct, frozen=True, kw_only=True):
    """What came of all tries: the attempts, and the vectors if the last one gave them."""

    attempts: tuple[Attempt, ...]
    vectors: Embedded | None
    waited_s: float


async def embed(request: Request, _sender: Sender, service: Service) -> Response:
    """Answer one request. Raises `EmafusionError` for what cannot be answered."""
    query = decode_embed(request.body)
    asked = _Asked(
        query=query,
        embedder=service.embedders.find(query.requested),
        options=options_from_headers(request.head.headers),
        request=request,
        decision_id=new_decision_id(),
    )
    usd = _check(asked, service)
    hold = await _held(asked, service, usd)
    created_at, started = time.time(), time.perf_counter()
    try:
        tried = await _tried(asked, service)
    except BaseException:
        if hold is not None and service.admission is not None:
            await service.admission.release(hold)
        raise
    outcome = _outcome(asked, tried, created_at=created_at, started=started)
    if hold is not None and service.admission is not None:
        await service.admission.settle(hold, _spent(outcome, query, usd))
    await service.ledger.keep(outcome)
    service.watching.answered(outcome)
    return _response(asked, tried, outcome)


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


async def _tried(asked: _Asked, service: Service) -> _Tried:
    """Ask until there is an answer, the failure is final, or tries and time are used up."""
    attempts: list[Attempt] = []
    limit_s = min(asked.options.max_latency_s or service.timeout_s, service.timeout_s)
    started = time.perf_counter()
    vectors = None
    for wait_s in (*_waits(), None):
        began = time.perf_counter()
        left_s = limit_s - (began - started)
        attempt, vectors = await _once(asked, service, left_s)
        attempts.append(attempt)
        wait_s = _wait_s(attempt.failure, wait_s)  # noqa: PLW2901 - what is asked for comes before what is usual
        if wait_s is None or wait_s >= limit_s - (time.perf_counter() - started):
            break
        await asyncio.sleep(wait_s)
    waited_s = time.perf_counter() - started
    return _Tried(attempts=tuple(attempts), vectors=vectors, waited_s=waited_s)


def _waits() -> Iterator[float]:
    return (WAIT_S * 2**n for n in range(TRIES - 1))


def _wait_s(failure: Failure | None, usual_s: float | None) -> float | None:
    """How long to wait before another try; None where there is to be none."""
    if usual_s is None or not isinstance(failure, Retryable):
        return None
    asked_s = failure.retry_after_s
    if asked_s is None:
        return usual_s
    return asked_s if asked_s <= MOST_WAIT_S else None


async def _once(asked: _Asked, service: Service, left_s: float) -> tuple[Attempt, Embedded | None]:
    candidate, started = asked.embedder.candidate, time.perf_counter()
    try:
        async with asyncio.timeout(left_s):
            vectors = await asked.embedder.remote.embed(asked.query, candidate.remote_name)
    except TimeoutError:
        failure: Failure = DeadlinePassed("the request's deadline ran out")
    except Failure as error:
        failure = error
    else:
        tokens = vectors.prompt_tokens
        usage = None if tokens is None else Usage(prompt_tokens=tokens)
        attempt = Attempt(
            candidate=candidate.name,
            reply=Reply(choices=(Choice(),), model=candidate.remote_name, usage=usage),
            cost_usd=None if usage is None else service.pricer(usage, candidate.model.price),
            latency_s=time.perf_counter() - started,
        )
        return attempt, vectors
    latency_s = time.perf_counter() - started
    return Attempt(candidate=candidate.name, failure=failure, latency_s=latency_s), None


def _outcome(asked: _Asked, tried: _Tried, *, created_at: float, started: float) -> Outcome:
    last = tried.attempts[-1]
    name = asked.embedder.candidate.name
    plan = Plan(step=CallStep(candidate=name), propensity=1.0, reason="the client named the model")
    answer = Answer(
        reply=last.reply,
        failure=last.failure,
        attempt=None if last.reply is None else len(tried.attempts) - 1,
        evidence=Evidence(
            attempts=tried.attempts,
            confidences=(None,) * len(tried.attempts),
            groups=(-1,) * len(tried.attempts),
        ),
        plans=(plan,),
        features=None,
        estimates=None,
        route="embedding",
        propensity=1.0,
    )
    latency_s = time.perf_counter() - started
    key = asked.request.key
    return Outcome(
        decision_id=asked.decision_id,
        created_at=created_at,
        query=Query(
            query_id=asked.decision_id,
            messages=(),
            requested=asked.query.requested,
            user=asked.query.user,
        ),
        objective=Objective(),
        answer=answer,
        status=200 if last.failure is None else last.failure.client_status,
        latency_s=latency_s,
        overhead_ms=max(0.0, latency_s - tried.waited_s) * 1000.0,
        session=asked.options.session,
        key_id=asked.request.key_id,
        tags=(*(key.tags if key else ()), *_tags(asked)),
    )


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


def _response(asked: _Asked, tried: _Tried, outcome: Outcome) -> Response:
    if tried.vectors is None:
        raise outcome.answer.failure or DeadlinePassed("no model answered")
    told = facts(outcome)
    body = encode_embeddings(
        tried.vectors.vectors,
        model=asked.embedder.candidate.name,
        as_base64=asked.query.as_base64,
        prompt_tokens=tried.vectors.prompt_tokens,
        extras=told,
    )
    return Response(body=body, headers=headers(told))
