"""Always the same candidate: the baseline that everything else must beat."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.evidence import CallStep, Plan, Situation, StopStep


@dataclass(frozen=True, slots=True, kw_only=True)
class SinglePolicy:
    """Call one candidate and give its answer, whatever it is."""

    candidate: str

    def plan(self, situation: Situation, /) -> Plan:
        """Call it once, then stop."""
        if not situation.evidence.attempts:
            step = CallStep(candidate=self.candidate, live=True)
            return Plan(step=step, propensity=1.0, reason=f"always {self.candidate}")
        answered = situation.evidence.attempts[-1].reply is not None
        last = len(situation.evidence.attempts) - 1
        stop = StopStep(attempt=last if answered else None)
        return Plan(step=stop, propensity=1.0, reason="one call a query")
