"""Exact backward induction over who is called next: what the one-step rule is measured by.

Where the gain rule looks one answer ahead (two after the first), this looks to the end, over the
most useful candidates (`FEW`). What it does not weigh (paid judges, answers that cannot be
compared, limits of time) is the gain rule's, which it wraps.
"""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.evidence import CallStep, JudgeStep, Plan, Situation
from emafusion.policy.ended import is_over, stop
from emafusion.policy.gain import GainPolicy
from emafusion.policy.more import Groups, groups_in, would_be_given
from emafusion.policy.options import Options, options
from emafusion.policy.plain import seats
from emafusion.policy.start import HASTE, TIE
from emafusion.policy.tree import Tree

FEW = 5
"""Candidates that are looked at: the most useful ones. The tree grows with their factorial."""

ENOUGH = 0.5
"""Chance that answers can be compared, below which the gain rule decides."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class InductionPolicy:
    """The gain rule, looking to the end; implements `Policy`."""

    gain: GainPolicy

    def plan(self, situation: Situation, /) -> Plan:
        """Plan as the gain rule does; then see whom the whole tree would call."""
        plan = self.gain.plan(situation)
        if isinstance(plan.step, JudgeStep) or is_over(situation):
            return plan
        evidence = situation.evidence
        if any(attempt.sent_live for attempt in evidence.attempts):
            return plan
        left = options(situation, self.gain.dial.quality_per_usd(situation.objective))
        groups = groups_in(evidence)
        started = evidence.best is not None
        if (started and not groups.chances) or left.comparable < ENOUGH:
            return plan
        looks = self.gain.max_looks - sum(a.reply is not None for a in evidence.attempts)
        return self._planned(situation, left, groups, looks=looks) or plan

    def _planned(
        self, situation: Situation, left: Options, groups: Groups, *, looks: int
    ) -> Plan | None:
        """The plan of the tree; None where nobody may be called."""
        may = [k for k, ok in enumerate(left.open) if ok]
        few = sorted(may, key=lambda k: left.paid[k] - left.quality[k])[:FEW]
        if not few:
            return None
        best = situation.evidence.best
        weights, none = (groups.chances, groups.none) if best is not None else ((), 1.0)
        tree = Tree(
            seats=seats(
                [left.quality[k] for k in few], [left.paid[k] for k in few], self.gain.vote
            ),
            vote=self.gain.vote,
            least=HASTE,
        )
        places = tuple(range(len(few)))
        worth = [tree.after(i, weights, none, left=places, looks=looks) for i in places]
        now = max(weights, default=0.0)
        if best is not None and (looks <= 0 or max(worth) <= now):
            return stop(best, f"confidence {now:.2f}: nothing that may still be said pays")
        i = _chosen(worth, left, few)
        return self._call(left, groups, few[i], worth=worth[i], looks=looks)

    def _call(self, left: Options, groups: Groups, k: int, *, worth: float, looks: int) -> Plan:
        is_first = not groups.chances
        alone = left.quality[k] - left.paid[k]
        is_sure = worth <= alone + HASTE if is_first else looks <= 1
        live = is_sure and (is_first or would_be_given(groups, left.quality[k], self.gain.vote))
        return Plan(
            step=CallStep(candidate=left.names[k], live=live),
            propensity=1.0,
            reason=f"of all that may follow, {left.names[k]} first is worth most: {worth:.3f}",
        )


def _chosen(worth: list[float], left: Options, few: list[int]) -> int:
    """Of equal worth the cheaper; where cost does not count, the better."""
    near = [i for i, value in enumerate(worth) if value >= max(worth) - TIE]
    if any(left.paid):
        return min(near, key=lambda i: left.cost_usd[few[i]])
    return max(near, key=lambda i: (left.quality[few[i]], worth[i]))
