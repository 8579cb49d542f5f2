"""Which candidates can serve a query at all, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from emafusion.domain.errors import NoCandidate
from emafusion.domain.features import Features
from emafusion.domain.model import Ability, Candidate, Objective
from emafusion.domain.query import Query
from emafusion.flow.parts import Task, Unsupported, everything_said

SOFT = frozenset(
    {
        "allowed_callers",
        "cache_control",
        "caller",
        "citations",
        "context_management",
        "defer_loading",
        "diagnostics",
        "eager_input_streaming",
        "frequency_penalty",
        "input_examples",
        "is_error",
        "media_resolution",
        "metadata",
        "min_p",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_schema",
        "safety_settings",
        "repetition_penalty",
        "safety_identifier",
        "seed",
        "service_tier",
        "speed",
        "store",
        "temperature",
        "thinking",
        "top_k",
        "top_p",
        "user",
        "user_profile_id",
        "verbosity",
        "workspace_id",
    }
)
"""Parameters whose loss gives another sample of the same answer, or changes who bills and keeps it:
left out where they must be, and told. Losing any other one would give an answer to another query.
"""


def eligible(task: Task, features: Features, unsupported: Unsupported) -> tuple[Candidate, ...]:
    """Candidates that can serve the query, in the order of the pool; rested ones where there are.

    Raises `NoCandidate`, with the reason for each, where there is none.
    """
    fit = _fit(task, features, unsupported)
    if not fit:
        raise NoCandidate(_told(task, features, unsupported))
    if not task.resting:
        return fit
    return tuple(c for c in fit if c.name not in task.resting) or fit


def reason_against(
    candidate: Candidate, task: Task, *, features: Features, unsupported: Unsupported
) -> str | None:
    """Why this candidate cannot serve the query; None if it can."""
    lost = hard(unsupported(task.query, candidate))
    return next(chain(_reasons(candidate, task, lost), _too_long(candidate, task, features)), None)


def hard(names: Iterable[str]) -> tuple[str, ...]:
    """Those of the parameters without which the answer would be one to another query.

    >>> hard(("seed", "n"))
    ('n',)
    """
    return tuple(name for name in names if name not in SOFT)


def needs(query: Query) -> frozenset[Ability]:
    """Abilities that this query asks of a model.

    >>> from emafusion.domain.query import ask
    >>> needs(ask("Hello"))
    frozenset()
    """
    settings, wanted = query.settings, set[Ability]()
    if _talks_of_tools(query):
        wanted.add("tools")
    if query.has_images:
        wanted.add("images")
    if query.format.kind != "text":
        wanted.add(query.format.kind)
    if settings.logprobs:
        wanted.add("logprobs")
    if settings.n > 1:
        wanted.add("n")
    return frozenset(wanted)


def _fit(task: Task, features: Features, unsupported: Unsupported) -> tuple[Candidate, ...]:
    """Those with no reason against them; the pool itself where that is all of it.

    What a query asks for is looked at once: this is on the request path. Reasons are for people.
    """
    wanted, query = needs(task.query), task.query
    tokens = features.prompt_tokens + (query.settings.max_tokens or 0)
    objective = task.objective
    is_free = not objective.candidates and objective.max_cost_usd is None
    says_all = unsupported is everything_said
    fit = [
        c
        for c in task.candidates
        if wanted <= c.model.abilities
        and ((room := c.model.context_tokens) is None or tokens <= room)
        and (is_free or next(not_allowed(c, objective), None) is None)
        and (says_all or not hard(unsupported(query, c)))
    ]
    return task.candidates if len(fit) == len(task.candidates) else tuple(fit)


def _told(task: Task, features: Features, unsupported: Unsupported) -> str:
    """Why nobody can serve the query, with the reason for each."""
    told = "; ".join(
        f"{c.name}: {reason_against(c, task, features=features, unsupported=unsupported)}"
        for c in task.candidates
    )
    return f"no model can serve this query ({told or 'empty pool'})"


def _reasons(candidate: Candidate, task: Task, lost: tuple[str, ...]) -> Iterator[str]:
    yield from not_allowed(candidate, task.objective)
    yield from (f"has no ability '{ability}'" for ability in _missing(candidate, needs(task.query)))
    yield from (f"its API has no '{name}'" for name in lost)


def _too_long(candidate: Candidate, task: Task, features: Features) -> Iterator[str]:
    room = candidate.model.context_tokens
    wanted = features.prompt_tokens + (task.query.settings.max_tokens or 0)
    if room is not None and wanted > room:
        yield f"context of {room} tokens is less than the {wanted} needed"


def not_allowed(candidate: Candidate, objective: Objective) -> Iterator[str]:
    """Why the objective forbids this candidate, whatever the query."""
    if objective.candidates and candidate.name not in objective.candidates:
        yield "not among the models allowed for this query"
    if objective.max_cost_usd is not None and candidate.model.price is None:
        yield "its price is unknown, so max_cost_usd cannot be held"


def _talks_of_tools(query: Query) -> bool:
    """Whether a tool may be called, or was called earlier in the conversation."""
    if query.tools and query.settings.tool_choice != "none":
        return True
    return any(message.tool_calls or message.role == "tool" for message in query.messages)


def _missing(candidate: Candidate, wanted: frozenset[Ability]) -> list[Ability]:
    return sorted(wanted - candidate.model.abilities)
