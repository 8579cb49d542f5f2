"""Our reading of EMAFusion (arXiv 2504.10681): a set of candidates, then cheapest first.

On familiar queries the set is all that are proven in the query's class, `Phi >= tau`; on others the
`k` of highest predicted score. Within it the cascade goes from cheap to dear and stops at the first
answer whose judges' mean passes a threshold. The sources name neither `tau` nor the threshold: both
move with the dial, which traces the curve that the paper describes. The hard switch between the two
routes is the estimator's (`estimate.hybrid`, mode `paper`), the mean the panel's
(`judge.mean_panel`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from emafusion.domain.evidence import Plan, Situation
from emafusion.policy.dial import known_costs
from emafusion.policy.threshold import climb


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperPolicy:
    """`most`: size of the set where the learned route decides."""

    most: int = 3

    def plan(self, situation: Situation, /) -> Plan:
        """Call the next of the set, let the judges read, or stop."""
        return climb(self.chosen(situation), situation)

    def chosen(self, situation: Situation) -> tuple[str, ...]:
        """The set for this query, cheapest first."""
        estimates = situation.estimates
        quality, costs = estimates.quality, known_costs(estimates.cost_usd)
        if estimates.route == "taxonomy":
            tau = situation.objective.quality_weight * float(quality.max())
            kept: list[int] = np.flatnonzero(quality >= tau).tolist()
        else:
            kept = np.argsort(-quality, kind="stable")[: self.most].tolist()
        ordered = sorted(kept, key=lambda k: (float(costs[k]), -float(quality[k])))
        return tuple(estimates.candidates[k] for k in ordered)
