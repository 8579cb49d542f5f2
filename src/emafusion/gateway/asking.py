"""From an HTTP request to what is asked: the query, its options and its objective."""

from __future__ import annotations

from dataclasses import replace

from msgspec import structs

from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.session import session_of
from emafusion.gateway.admission_refusal import NotAllowed
from emafusion.gateway.admission_scope import notice, scoped
from emafusion.gateway.face import Face
from emafusion.gateway.http import Request
from emafusion.gateway.names import named_candidate
from emafusion.gateway.reuse.once import HEADER, LONGEST
from emafusion.gateway.service import Asked, Service, new_decision_id
from emafusion.store.keys.key import Key
from emafusion.wire.options import Options, decode_options, merge_options, options_from_headers

SESSION_LENGTH = 256
SESSION_HEADERS = (
    "x-session-id", "x-conversation-id", "x-claude-code-session-id", "x-model-affinity",
    "session-id", "session_id",
)  # fmt: skip
"""Headers by which clients name their session; the last two are those of Codex."""

TRACE = "traceparent"
"""The header that says which trace a request belongs to, and the tag that keeps it."""


def read_asked(request: Request, service: Service, face: Face) -> Asked:
    """Read and check a request. Raises `BadInput` with the field that is wrong."""
    query = face.query(request, query_id=new_decision_id())
    options = merge_options(
        body=decode_options(query), headers=options_from_headers(request.head.headers)
    )
    asked = Asked(
        query=query if options.dataset is None else replace(query, dataset=options.dataset),
        objective=objective_of(options, service.objective, service.candidates),
        session=options.session or session_named(request) or session_of(query),
        tags=_traced(tags_of(options), request),
        baseline=_baseline(options.baseline, service.candidates),
        once=_once(request),
        anew=options.cache is False or options.tests is not None or _wants_anew(request),
        tests=options.tests,
        explain=options.explain is True,
    )
    return (
        asked
        if request.key is None
        else _by_key(asked, request.key, options=options, service=service)
    )


def _by_key(asked: Asked, key: Key, *, options: Options, service: Service) -> Asked:
    """The same, within what the key allows. Raises `NotAllowed`."""
    if key.has_weights and options.answer_value_usd is not None:
        what = "this gateway key has limits on quality_weight; say that instead"
        raise NotAllowed(what, where="answer_value_usd")
    objective = asked.objective
    said_nothing = options.quality_weight is None and options.answer_value_usd is None
    if key.quality_weight is not None and said_nothing:
        objective = replace(objective, quality_weight=key.quality_weight, answer_value_usd=None)
    requested = asked.query.requested
    told = notice(options.quality_weight, requested, key)
    kept = () if told is None else (("notice", told),)
    return structs.replace(
        asked,
        objective=scoped(objective, key, requested=requested, candidates=service.candidates),
        key=key,
        tags=(*key.tags, *asked.tags, *kept),
        notice=told,
    )


def objective_of(
    options: Options, default: Objective, candidates: tuple[Candidate, ...]
) -> Objective:
    """The gateway's objective with what this request says of its own.

    Raises `UnknownModel` for a name in `models` that is not in the pool. A weight asked for in a
    request comes before an answer's value set for the gateway.
    """
    named = [named_candidate(name, candidates) for name in options.models or ()]
    allowed = frozenset(candidate.name for candidate in named if candidate is not None)
    weight, value_usd = options.quality_weight, options.answer_value_usd
    said_nothing = weight is None and value_usd is None
    return Objective(
        quality_weight=default.quality_weight if weight is None else weight,
        answer_value_usd=default.answer_value_usd if said_nothing else value_usd,
        max_cost_usd=_or(options.max_cost_usd, default.max_cost_usd),
        max_latency_s=_or(options.max_latency_s, default.max_latency_s),
        min_quality=_or(options.min_quality, default.min_quality),
        candidates=allowed or default.candidates,
    )


def session_named(request: Request) -> str | None:
    """The session that a request's headers name; the first of them holds.

    Raises `BadInput` for one that is too long.
    """
    for name in SESSION_HEADERS:
        session = request.head.headers.get(name, "")
        if len(session) > SESSION_LENGTH:
            raise BadInput(f"at most {SESSION_LENGTH} characters", where=name)
        if session:
            return session
    return None


def tags_of(options: Options) -> tuple[tuple[str, str], ...]:
    """What the log keeps of a request's own words about itself."""
    return () if options.dataset is None else (("dataset", options.dataset),)


def _baseline(name: str | None, candidates: tuple[Candidate, ...]) -> Candidate | None:
    """Whom savings are counted against. Raises `UnknownModel` for a name not in the pool."""
    return None if name is None else named_candidate(name, candidates)


def _or(said: float | None, default: float | None) -> float | None:
    return default if said is None else said


def _traced(tags: tuple[tuple[str, str], ...], request: Request) -> tuple[tuple[str, str], ...]:
    """The tags, with the trace that the request came in."""
    trace = request.head.headers.get(TRACE)
    return tags if trace is None else (*tags, (TRACE, trace[:LONGEST]))


def _once(request: Request) -> str | None:
    """The idempotency key."""
    key = request.head.headers.get(HEADER)
    if key is not None and not 0 < len(key) <= LONGEST:
        raise BadInput(f"1 to {LONGEST} characters", where=HEADER)
    return key


def _wants_anew(request: Request) -> bool:
    """Whether the client says, as to any cache, that it wants no answer of before."""
    control = request.head.headers.get("cache-control")
    return control is not None and ("no-cache" in control or "no-store" in control)
