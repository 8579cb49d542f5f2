"""A choice made beforehand for each query: call it, give its answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from emafusion.domain.errors import NoCandidate
from emafusion.domain.evidence import CallStep, Plan, Situation, StopStep


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChosenPolicy:
    """One call a query, decided before; implements `Policy`.

    `chosen`: (query_id, quality_weight) -> name of the candidate and the probability of choosing
    it; `reason`: what decided.
    """

    chosen: Mapping[tuple[str, float], tuple[str, float]]
    reason: str

    def plan(self, situation: Situation, /) -> Plan:
        """Call it once, then stop. Raises `NoCandidate` where nothing was chosen."""
        attempts = situation.evidence.attempts
        if attempts:
            given = None if attempts[-1].reply is None else len(attempts) - 1
            return Plan(step=StopStep(attempt=given), propensity=1.0, reason="one call a query")
        key = situation.query_id, situation.objective.quality_weight
        if key not in self.chosen:
            raise NoCandidate(f"nothing was chosen for query '{situation.query_id}'")
        name, chance = self.chosen[key]
        return Plan(step=CallStep(candidate=name, live=True), propensity=chance, reason=self.reason)
