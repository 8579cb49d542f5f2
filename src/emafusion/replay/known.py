"""What is known of every query before the replay begins, as the parts that a flow asks for it.

Encoding and estimating a whole table at once costs a fraction of doing it query by query, and a
dial of many settings needs it once. What is looked up is what the served parts gave.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from emafusion.domain.evidence import Plan, Situation
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate
from emafusion.domain.ports import Estimator, Policy
from emafusion.domain.query import Query

FirstPlans = dict[float, dict[str, tuple[Plan, tuple[Candidate, ...]]]]
"""quality_weight -> query_id -> first plan, and the candidates that it was made for."""


class KnownFeatures:
    """Features by query_id; implements `Encoder`."""

    def __init__(self, features: Mapping[str, Features]) -> None:
        self._features = features

    def encode(self, query: Query, /) -> Features:
        """Look the features up."""
        return self._features[query.query_id]


class KnownEstimates:
    """Estimates of a whole pool by the features that they were made from; implements `Estimator`.

    `estimates`: by `id` of the features, which must be kept alive; `pool`: their candidates;
    `others`: predicts features that are none of these, such as those with slow labels.
    """

    def __init__(
        self,
        estimates: Mapping[int, Estimates],
        pool: tuple[Candidate, ...],
        others: Estimator | None = None,
    ) -> None:
        self._estimates = estimates
        self._others = others
        self._pool = pool
        self._places = {candidate.name: k for k, candidate in enumerate(pool)}
        self._parts: dict[int, tuple[tuple[Candidate, ...], Estimates]] = {}

    def estimate(self, features: Features, candidates: tuple[Candidate, ...], /) -> Estimates:
        """Look the estimates up; for a part of the pool, take its columns."""
        whole = self._estimates.get(id(features))
        if whole is None and self._others is not None:
            return self._others.estimate(features, candidates)
        whole = self._estimates[id(features)]
        if candidates is self._pool or len(candidates) == len(self._pool):
            return whole
        kept = self._parts.get(id(features))
        if kept is not None and kept[0] is candidates:
            return kept[1]
        part = part_of(whole, [self._places[candidate.name] for candidate in candidates])
        self._parts[id(features)] = candidates, part
        return part


class KnownPlans:
    """A policy whose first plans are known; what follows is asked of it as always.

    `first`: by `quality_weight` and query_id, the plan and the candidates it was made for: where
    others can serve the query, the policy is asked.
    """

    def __init__(self, policy: Policy, first: FirstPlans) -> None:
        self._policy = policy
        self._first = first

    def plan(self, situation: Situation, /) -> Plan:
        """Look the first plan up."""
        if not situation.evidence.attempts:
            known = self._first[situation.objective.quality_weight].get(situation.query_id)
            if known is not None and known[1] is situation.candidates:
                return known[0]
        return self._policy.plan(situation)


def part_of(estimates: Estimates, places: list[int]) -> Estimates:
    """Estimates of some of the candidates, by place.

    >>> import numpy as np
    >>> two = np.array([0.2, 0.7])
    >>> whole = Estimates(
    ...     candidates=("a", "b"), quality=two, quality_sd=two, cost_usd=two, latency_s=two,
    ...     familiarity=1.0, route="learned", basis=("x", "y"),
    ... )  # fmt: skip
    >>> part_of(whole, [1]).candidates, float(part_of(whole, [1]).quality[0])
    (('b',), 0.7)
    """
    return replace(
        estimates,
        candidates=tuple(estimates.candidates[k] for k in places),
        quality=estimates.quality[places],
        quality_sd=estimates.quality_sd[places],
        cost_usd=estimates.cost_usd[places],
        latency_s=estimates.latency_s[places],
        basis=tuple(estimates.basis[k] for k in places) if estimates.basis else (),
    )
