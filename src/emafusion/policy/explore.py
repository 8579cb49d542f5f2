"""Exploration: now and then another plausible first candidate, with its exact probability.

Logs without the probability of each choice cannot be repaired later; with it, the worth of any
other policy can be estimated from them (off-policy). What is spent on it is bounded: at most
`epsilon` of the queries, and only among candidates that may well be as good.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from emafusion.domain.evidence import CallStep, Plan, Situation
from emafusion.domain.ports import Policy
from emafusion.policy.options import Options, options
from emafusion.policy.seed import draws


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplorePolicy:
    """Another policy with an epsilon of chance in its first step.

    `epsilon` in 0..1: share of queries whose first candidate is drawn evenly among those whose
    quality plus one standard error comes within `slack` of the chosen one's quality and that are
    no dearer than `dearest` times the chosen one. `seed`: with the query_id it fixes every draw.
    """

    inner: Policy
    epsilon: float = 0.02
    slack: float = 0.05
    dearest: float = 10.0
    seed: int = 0

    def plan(self, situation: Situation, /) -> Plan:
        """Plan as the inner policy does; in the first step, sometimes draw."""
        plan = self.inner.plan(situation)
        step = plan.step
        if situation.evidence.attempts or not isinstance(step, CallStep):
            return plan
        if self.epsilon <= 0.0:
            return plan
        left = options(situation, quality_per_usd=0.0)
        pool = self._pool(situation, left, left.at(step.candidate))
        chance, place = draws(self.seed, situation.query_id)
        is_drawn = chance < self.epsilon
        name = left.names[pool[int(place * len(pool))]] if is_drawn else step.candidate
        propensity = self.epsilon / len(pool) + (1 - self.epsilon) * (name == step.candidate)
        if name == step.candidate:
            return replace(plan, propensity=propensity)
        reason = f"drawn to learn from, instead of {step.candidate}"
        return Plan(step=replace(step, candidate=name), propensity=propensity, reason=reason)

    def _pool(self, situation: Situation, left: Options, chosen: int) -> list[int]:
        """Places of the chosen one and of all that may well be as good, ascending."""
        near = left.quality[chosen] - self.slack
        dearest_usd = self.dearest * max(left.cost_usd[chosen], 1e-12)
        sds: list[float] = situation.estimates.quality_sd.tolist()
        return [
            k
            for k, sd in enumerate(sds)
            if k == chosen
            or (left.open[k] and left.quality[k] + sd >= near and left.cost_usd[k] <= dearest_usd)
        ]
