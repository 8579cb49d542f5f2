"""What can still be called: candidates not yet tried, affordable and quick enough."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from emafusion.domain.evidence import Situation
from emafusion.domain.features import Floats, Ints
from emafusion.policy.dial import known_costs

BLIND, SCORED = 0, 1
"""Legibility of an answer: without and with token log-probabilities. Tables of the `Spread`."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Options:
    """Candidates as arrays in the order of the estimates.

    `names`: n names; `quality`: float64[n]; `cost_usd`: float64[n], unknown counted as the dearest
    known; `open`: bool[n], whether it may be called now; `paid`: float64[n], `cost_usd` in units of
    quality (lambda x cost_usd); `legibility`: int64[n], `BLIND` or `SCORED`, what judges can tell
    of its answers.
    """

    names: tuple[str, ...]
    quality: Floats
    cost_usd: Floats
    open: npt.NDArray[np.bool_]
    paid: Floats
    legibility: Ints

    def at(self, name: str) -> int:
        """Position of a candidate."""
        return self.names.index(name)


def options(situation: Situation, quality_per_usd: float) -> Options:
    """See what can be called next, where a dollar must buy `quality_per_usd` of quality.

    A limit that only unknown figures could break does not close a candidate here: what has no
    known price was already refused where a maximum cost is asked.
    """
    estimates, objective = situation.estimates, situation.objective
    tried = {attempt.candidate for attempt in situation.evidence.attempts}
    is_open = np.array([name not in tried for name in estimates.candidates])
    cost_usd = known_costs(estimates.cost_usd)
    if objective.max_cost_usd is not None:
        left_usd = objective.max_cost_usd - (situation.evidence.cost_usd or 0.0)
        is_open &= cost_usd <= left_usd
    if objective.max_latency_s is not None:
        left_s = objective.max_latency_s - elapsed_s(situation)
        is_open &= ~(estimates.latency_s > left_s)
    if objective.min_quality is not None:
        is_open &= estimates.quality >= objective.min_quality
    return Options(
        names=estimates.candidates,
        quality=estimates.quality,
        cost_usd=cost_usd,
        open=is_open,
        paid=quality_per_usd * cost_usd,
        legibility=_legibility(situation),
    )


def _legibility(situation: Situation) -> Ints:
    """Whose answers come with token log-probabilities that a judge reads."""
    is_scoring = any(judge.kind == "logprob" for judge in situation.judges)
    scored = [is_scoring and "logprobs" in c.model.abilities for c in situation.candidates]
    return np.array(scored, dtype=np.int64)


def elapsed_s(situation: Situation) -> float:
    """Seconds that attempts and judges have taken so far."""
    evidence = situation.evidence
    return sum(a.latency_s for a in evidence.attempts) + sum(
        j.latency_s for j in evidence.judgements
    )
