"""What can still be called: candidates not yet tried, affordable and quick enough."""

from __future__ import annotations

from functools import lru_cache
from math import inf

import numpy as np
from msgspec import Struct

from emafusion.domain.evidence import Situation
from emafusion.domain.features import Estimates, Features, Floats
from emafusion.policy.dial import known_costs

SLOW = 2.2
"""95th percentile of a call's seconds over their mean: a log-normal law of sigma 0.6."""

COMPARABLE = np.array((0.05, 0.0, 0.5, 0.2, 1.0, 1.0, 0.2, 0.3))
"""How often answers can be compared, by the format that is asked for: prose, code, JSON, table,
short answer, choice, long document, media."""

BLIND, SCORED = 0, 1
"""Legibility of an answer: without and with token log-probabilities. Tables of the `Spread`."""


class Options(Struct, frozen=True, kw_only=True):
    """Candidates in the order of the estimates, one value each.

    Plain numbers: a pool is small, and then a call of numpy costs more than the sum it does.

    `cost_usd`: unknown counted as the dearest known; `open`: whether it may be called now; `paid`:
    `cost_usd` in units of quality (lambda x cost_usd); `legibility`: `BLIND` or `SCORED`, what
    judges can tell of its answers. `comparable`: 0..1, how likely answers to this query can be
    compared with each other.
    """

    names: tuple[str, ...]
    quality: tuple[float, ...]
    cost_usd: tuple[float, ...]
    open: tuple[bool, ...]
    paid: tuple[float, ...]
    legibility: tuple[int, ...]
    comparable: float = 1.0

    def at(self, name: str) -> int:
        """Position of a candidate."""
        return self.names.index(name)


def options(situation: Situation, quality_per_usd: float) -> Options:
    """See what can be called next, where a dollar must buy `quality_per_usd` of quality.

    A limit that only unknown figures could break does not close a candidate here: what has no
    known price was already refused where a maximum cost is asked.
    """
    quality, cost_usd, comparable = _predicted(situation.estimates, situation.features)
    return Options(
        names=situation.estimates.candidates,
        quality=quality,
        cost_usd=cost_usd,
        open=_open(situation, quality, cost_usd),
        paid=tuple([quality_per_usd * usd for usd in cost_usd]),
        legibility=legibility(situation),
        comparable=comparable,
    )


@lru_cache(maxsize=256)  # asked after each answer to a query, and for one that comes again
def _predicted(
    estimates: Estimates, features: Features
) -> tuple[tuple[float, ...], tuple[float, ...], float]:
    """Qualities, costs with unknown ones as the dearest known, and how comparable answers are."""
    return (
        tuple(estimates.quality.tolist()),
        tuple(known_costs(estimates.cost_usd).tolist()),
        float(features.labels.format @ COMPARABLE),
    )


def _open(
    situation: Situation, quality: tuple[float, ...], cost_usd: tuple[float, ...]
) -> tuple[bool, ...]:
    """Who may be called: not yet tried, and within each limit that there is."""
    objective, evidence = situation.objective, situation.evidence
    tried = {attempt.candidate for attempt in evidence.attempts}
    may = [name not in tried for name in situation.estimates.candidates]
    if objective.max_cost_usd is not None:
        most_usd = objective.max_cost_usd - (evidence.cost_usd or 0.0)
        may = [ok and usd <= most_usd for ok, usd in zip(may, cost_usd, strict=True)]
    if objective.max_latency_s is not None:
        left_s = time_left_s(situation)
        latencies_s: list[float] = situation.estimates.latency_s.tolist()
        may = [ok and not s > left_s for ok, s in zip(may, latencies_s, strict=True)]
    if objective.min_quality is not None:
        floor = objective.min_quality
        may = [ok and q >= floor for ok, q in zip(may, quality, strict=True)]
    return tuple(may)


def barred(situation: Situation, cost_usd: tuple[float, ...]) -> Floats | None:
    """float64[n, n]: infinite where a limit forbids the second call after the first, else 0.

    None where there is no limit of cost or time. `cost_usd`: n numbers.
    """
    objective = situation.objective
    if objective.max_cost_usd is None and objective.max_latency_s is None:
        return None
    over = np.zeros((len(cost_usd), len(cost_usd)), dtype=bool)
    if objective.max_cost_usd is not None:
        most_usd = objective.max_cost_usd - (situation.evidence.cost_usd or 0.0)
        over |= np.add.outer(cost_usd, cost_usd) > most_usd
    if objective.max_latency_s is not None:
        left_s = objective.max_latency_s - situation.evidence.latency_s
        latency_s = np.nan_to_num(situation.estimates.latency_s)
        over |= latency_s[:, None] + SLOW * latency_s > left_s
    return np.where(over, np.inf, 0.0)


def legibility(situation: Situation) -> tuple[int, ...]:
    """Whose answers come with token log-probabilities that a judge reads."""
    if not any(judge.kind == "logprob" for judge in situation.judges):
        return (BLIND,) * len(situation.candidates)
    return tuple(
        [SCORED if "logprobs" in c.model.abilities else BLIND for c in situation.candidates]
    )


def left_usd(situation: Situation) -> float | None:
    """US dollars that may still be spent; None where there is no limit."""
    most = situation.objective.max_cost_usd
    return None if most is None else most - (situation.evidence.cost_usd or 0.0)


def time_left_s(situation: Situation) -> float:
    """Seconds that a further call may be expected to take; infinite where there is no deadline.

    What is held must not be put at risk: then so little that it ends in time in 19 of 20 cases.
    With nothing held, all that is left is tried.
    """
    limit_s, evidence = situation.objective.max_latency_s, situation.evidence
    if limit_s is None:
        return inf
    left_s = limit_s - evidence.latency_s
    return left_s if evidence.best is None else left_s / SLOW
