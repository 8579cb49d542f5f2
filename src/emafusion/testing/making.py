"""Small makers of nouns, so that a test says only what it is about."""

from __future__ import annotations

import numpy as np

from emafusion.domain.attempt import Attempt, Choice, Reply, TokenLogprob, Usage
from emafusion.domain.errors import Failure
from emafusion.domain.evidence import Evidence, JudgeCard, Situation
from emafusion.domain.features import Estimates, Features, Labels
from emafusion.domain.model import Ability, Candidate, Model, Objective, Price

EVERYTHING: frozenset[Ability] = frozenset(
    {"tools", "json_object", "json_schema", "images", "logprobs", "n", "reasoning"}
)


def candidate(
    name: str,
    *,
    usd_per_mtok: float | None = 1.0,
    abilities: frozenset[Ability] = EVERYTHING,
    context_tokens: int | None = None,
) -> Candidate:
    """A candidate whose prompt and completion tokens cost the same; None = unknown price.

    >>> candidate("small").deployment
    'fake'
    """
    price = None
    if usd_per_mtok is not None:
        price = Price(prompt_usd_per_mtok=usd_per_mtok, completion_usd_per_mtok=usd_per_mtok)
    model = Model(
        name=name,
        provider="fake",
        price=price,
        abilities=abilities,
        context_tokens=context_tokens,
    )
    return Candidate(name=name, model=model, deployment="fake", remote_name=name)


def said(
    text: str,
    *,
    by: str = "",
    cost_usd: float | None = 0.001,
    latency_s: float = 0.1,
    logprob: float | None = None,
) -> Attempt:
    """An attempt that answered; `logprob`: the same for each of its words, None for none."""
    words = text.split() if logprob is not None else []
    logprobs = tuple(TokenLogprob(token=word, logprob=logprob or 0.0) for word in words)
    usage = Usage(prompt_tokens=10, completion_tokens=max(1, len(text.split())))
    reply = Reply(choices=(Choice(text=text, logprobs=logprobs),), model=by, usage=usage)
    return Attempt(candidate=by, reply=reply, cost_usd=cost_usd, latency_s=latency_s)


def failed(failure: Failure, *, by: str = "", latency_s: float = 0.1) -> Attempt:
    """An attempt that failed."""
    return Attempt(candidate=by, failure=failure, cost_usd=0.0, latency_s=latency_s)


def features(*, prompt_tokens: int = 20, words: tuple[int, ...] = (1, 5, 9)) -> Features:
    """Features of some plain question."""
    indices = np.array(words, dtype=np.int64)
    weights = np.full(len(words), len(words) ** -0.5)
    return Features(
        indices=indices,
        weights=weights,
        counts=np.zeros(20),
        labels=Labels(task=_even(16), depth=_even(5), domain=_even(14), format=_even(8)),
        prompt_tokens=prompt_tokens,
        prompt_hash="0" * 32,
    )


def situation(
    quality: dict[str, float],
    cost_usd: dict[str, float] | None = None,
    *,
    evidence: Evidence | None = None,
    objective: Objective | None = None,
    judges: tuple[JudgeCard, ...] = (),
) -> Situation:
    """A situation with these predicted qualities and costs (0.001 each where not given)."""
    names, costs = tuple(quality), cost_usd or {}
    estimates = Estimates(
        candidates=names,
        quality=np.array(list(quality.values())),
        quality_sd=np.full(len(names), 0.1),
        cost_usd=np.array([costs.get(name, 0.001) for name in names]),
        latency_s=np.full(len(names), 1.0),
        familiarity=1.0,
        route="learned",
        basis=("test",) * len(names),
    )
    return Situation(
        query_id="q",
        features=features(),
        estimates=estimates,
        candidates=tuple(candidate(name) for name in names),
        judges=judges,
        evidence=evidence or Evidence(),
        objective=objective or Objective(),
    )


def _even(n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.full(n, 1.0 / n)
