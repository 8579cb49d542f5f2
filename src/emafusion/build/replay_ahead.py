"""First plans of a whole replay at once, where the policy can: quicker by far than one by one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from emafusion.domain.evidence import Evidence, Situation
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.ports import Policy
from emafusion.domain.query import Query
from emafusion.flow.parts import Parts
from emafusion.policy.explore import ExplorePolicy
from emafusion.policy.gain import GainPolicy
from emafusion.replay.known import FirstPlans, KnownPlans


def plan_ahead(
    parts: Parts,
    queries: Sequence[Query],
    pools: Sequence[tuple[Candidate, ...]],
    *,
    objectives: Sequence[Objective],
) -> Parts:
    """Parts whose policy knows its first plans; the same parts where it cannot know them.

    `pools`: the candidates of each query.
    """
    policy = parts.policy
    if isinstance(policy, ExplorePolicy) and isinstance(policy.inner, GainPolicy):
        known = _known(parts, policy.inner, queries, pools=pools, objectives=objectives)
        return replace(parts, policy=replace(policy, inner=known))
    return parts


def _known(
    parts: Parts,
    policy: GainPolicy,
    queries: Sequence[Query],
    *,
    pools: Sequence[tuple[Candidate, ...]],
    objectives: Sequence[Objective],
) -> Policy:
    served = [
        (query, pool, parts.encoder.encode(query))
        for query, pool in zip(queries, pools, strict=True)
        if pool
    ]
    estimates = [parts.estimator.estimate(features, pool) for _, pool, features in served]
    first: FirstPlans = {}
    for objective in objectives:
        situations = [
            Situation(
                query_id=query.query_id,
                features=features,
                estimates=each,
                candidates=pool,
                judges=parts.cards,
                evidence=Evidence(),
                objective=objective,
            )
            for (query, pool, features), each in zip(served, estimates, strict=True)
        ]
        plans = policy.first_plans(situations)
        pairs = zip(situations, plans, strict=True)
        first[objective.quality_weight] = {
            situation.query_id: (plan, situation.candidates) for situation, plan in pairs
        }
    return KnownPlans(policy, first)
