"""Fusion: several at once, then a vote, the best of them, or one answer written of all.

    coverage F = 1 - prod (1 - P_i),    expected of fusing = best + eta (F - best)

P_i is the confidence in answer i (before any call: the predicted quality), and eta the share of the
gap to an oracle that a selector recovers: more where answers can be compared than where they are
only read. Where answers form groups the panel's confidence already is the weighted vote, so the
likeliest group is given, in the words of its most trusted member. One answer is written of several
only where they cannot be compared, and only if that is expected to gain more than it costs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from msgspec.structs import replace

from emafusion.domain.evidence import (
    Evidence,
    Fused,
    FuseStep,
    GatherStep,
    Plan,
    Situation,
    StopStep,
)
from emafusion.domain.ports import Policy
from emafusion.policy.dial import Dial
from emafusion.policy.gathering import LEAST, READ, coverage, panel_of, together
from emafusion.policy.options import options
from emafusion.policy.seed import draws
from emafusion.policy.start import HASTE
from emafusion.policy.writing import cost_of_writing, writer_for


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FusionPolicy:
    """Another policy, with fusion.

    `count`: candidates asked at once to begin with, 0 to begin as the inner policy does. `votes`:
    whether an answer that several gave is told as theirs together. `is_free`: whether writing may
    cost what it will, since fusion was asked for; else it must gain more than it costs.
    """

    inner: Policy
    dial: Dial
    count: int = 0
    votes: bool = False
    is_free: bool = False
    seed: int = 0

    def plan(self, situation: Situation, /) -> Plan:
        """Gather, then plan as the inner policy does, and make one answer of several at the end."""
        if self.count and not situation.evidence.attempts:
            return self._gather(situation) or self.inner.plan(situation)
        plan = self.inner.plan(situation)
        step = plan.step
        if not isinstance(step, StopStep) or step.attempt is None or is_seen(situation.evidence):
            return plan
        return self._end(situation, plan, step.attempt)

    def _gather(self, situation: Situation) -> Plan | None:
        lam = self.dial.quality_per_usd(situation.objective)
        left = options(situation, lam)
        chosen = panel_of(situation, left, self.count)
        if len(chosen) < LEAST:
            return None
        costs: list[float] = [float(situation.estimates.cost_usd[k]) for k in chosen]
        names = tuple(left.names[k] for k in chosen)
        return Plan(
            step=GatherStep(candidates=names),
            propensity=1.0,
            reason=f"fusion was asked for: {len(names)} answers at once, then what they make",
            quality=together(situation, left, chosen),
            cost_usd=None if any(map(math.isnan, costs)) else sum(costs),
        )

    def _end(self, situation: Situation, plan: Plan, best: int) -> Plan:
        """What the stop of the inner policy becomes."""
        evidence = situation.evidence
        if evidence.merge is None:
            write = self._write(situation, best)
            if write is not None:
                return write
        elif evidence.merge.kept:
            fused = Fused(way="merge", attempts=evidence.merge.of)
            reason = "the answer written of all is preferred to the best single one, in both orders"
            return Plan(step=StopStep(attempt=None, fused=fused), propensity=1.0, reason=reason)
        alike = supporters(evidence, best)
        if self.votes and len(alike) >= LEAST:
            fused = Fused(way="vote", attempts=alike)
            reason = f"{len(alike)} give this answer; {plan.reason}"
            return replace(plan, step=StopStep(attempt=None, fused=fused), reason=reason)
        return plan

    def _write(self, situation: Situation, best: int) -> Plan | None:
        """Have one answer written of those that cannot be compared; None where it does not pay."""
        evidence = situation.evidence
        apart = [i for i, group in enumerate(evidence.groups) if group < -1]
        if not situation.writable or best not in apart or len(apart) < LEAST:
            return None
        held = [c for i in apart if (c := evidence.confidences[i]) is not None]
        gain = READ * (coverage(held) - max(held))
        lam = 0.0 if self.is_free else self.dial.quality_per_usd(situation.objective)
        writer = writer_for(situation, lam)
        if writer is None:
            return None
        price = cost_of_writing(situation, writer)
        if gain <= HASTE + lam * (price or 0.0) or (price is None and lam > 0.0):
            return None
        mixed = sorted(apart, key=lambda i: draws(self.seed, f"{situation.query_id}:{i}"))
        step = FuseStep(candidate=writer.name, attempts=tuple(mixed), over=best)
        reason = f"{len(apart)} answers that cannot be compared: one of all gains {gain:.3f}"
        return Plan(step=step, propensity=1.0, reason=reason, cost_usd=price)


def supporters(evidence: Evidence, best: int) -> tuple[int, ...]:
    """The attempts that give the same answer as the best one, the most trusted first."""
    group = evidence.groups[best]
    if group < 0:
        return (best,)
    same = [i for i, other in enumerate(evidence.groups) if other == group]
    return tuple(sorted(same, key=lambda i: (i != best, -(evidence.confidences[i] or 0.0))))


def is_seen(evidence: Evidence) -> bool:
    """Whether the client has seen (part of) an answer."""
    return any(attempt.sent_live for attempt in evidence.attempts)
