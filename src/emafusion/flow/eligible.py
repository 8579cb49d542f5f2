"""Which candidates can serve a query at all, and why the others cannot."""

from __future__ import annotations

from collections.abc import Iterator

from emafusion.domain.errors import NoCandidate
from emafusion.domain.features import Features
from emafusion.domain.model import Ability, Candidate, Objective
from emafusion.domain.query import Query
from emafusion.flow.parts import Task


def eligible(task: Task, features: Features) -> tuple[Candidate, ...]:
    """Candidates that can serve the query, in the order of the pool.

    Raises `NoCandidate`, with the reason for each, where there is none.
    """
    reasons = {
        candidate.name: reason_against(candidate, task, features) for candidate in task.candidates
    }
    fit = tuple(c for c in task.candidates if reasons[c.name] is None)
    if not fit:
        told = "; ".join(f"{name}: {reason}" for name, reason in reasons.items()) or "empty pool"
        msg = f"no model can serve this query ({told})"
        raise NoCandidate(msg)
    return fit


def reason_against(candidate: Candidate, task: Task, features: Features) -> str | None:
    """Why this candidate cannot serve the query; None if it can."""
    return next(_reasons(candidate, task, features), None)


def _reasons(candidate: Candidate, task: Task, features: Features) -> Iterator[str]:
    yield from _not_allowed(candidate, task.objective)
    yield from (f"has no ability '{ability}'" for ability in _missing(candidate, needs(task.query)))
    room = candidate.model.context_tokens
    wanted = features.prompt_tokens + (task.query.settings.max_tokens or 0)
    if room is not None and wanted > room:
        yield f"context of {room} tokens is less than the {wanted} needed"


def _not_allowed(candidate: Candidate, objective: Objective) -> Iterator[str]:
    if objective.candidates and candidate.name not in objective.candidates:
        yield "not among the models allowed for this query"
    if objective.max_cost_usd is not None and candidate.model.price is None:
        yield "its price is unknown, so max_cost_usd cannot be held"


def needs(query: Query) -> frozenset[Ability]:
    """Abilities that this query asks of a model.

    >>> from emafusion.domain.query import ask
    >>> needs(ask("Hello"))
    frozenset()
    """
    settings = query.settings
    wanted: dict[Ability, bool] = {
        "tools": bool(query.tools) and settings.tool_choice != "none",
        "images": query.has_images,
        "json_object": query.format.kind == "json_object",
        "json_schema": query.format.kind == "json_schema",
        "logprobs": settings.logprobs,
        "n": settings.n > 1,
    }
    return frozenset(ability for ability, asked in wanted.items() if asked)


def _missing(candidate: Candidate, wanted: frozenset[Ability]) -> list[Ability]:
    return sorted(wanted - candidate.model.abilities)
