"""What is known of a query before anybody is called, and how evidence is weighed after."""

from __future__ import annotations

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from emafusion.domain.errors import NoCandidate
from emafusion.domain.evidence import Case, Evidence, Situation
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate, Objective
from emafusion.flow.eligible import eligible
from emafusion.flow.parts import Parts, Task


class Considered(Struct, frozen=True, kw_only=True, eq=False):
    """What does not change while a query is answered; `candidates` are those that can serve it."""

    task: Task
    parts: Parts
    features: Features
    estimates: Estimates
    candidates: tuple[Candidate, ...]

    def situation(self, evidence: Evidence) -> Situation:
        """All that the policy may look at."""
        return Situation(
            query_id=self.task.query.query_id,
            features=self.features,
            estimates=self.estimates,
            candidates=self.candidates,
            judges=self.parts.cards,
            evidence=evidence,
            objective=self.task.objective,
        )

    def case(self, evidence: Evidence, attempt: int) -> Case:
        """What a judge reads."""
        return Case(
            query=self.task.query,
            evidence=evidence,
            attempt=attempt,
            candidates=self.candidates,
        )

    def weigh(self, evidence: Evidence) -> Evidence:
        """Group the answers and let the panel say how far each can be trusted."""
        if not evidence.attempts:
            return evidence
        if len(evidence.groups) != len(evidence.attempts):  # a judgement changes no group
            groups = self.parts.group(self.task.query, evidence.attempts)
            evidence = replace(evidence, groups=groups)
        places = [self.estimates.candidates.index(a.candidate) for a in evidence.attempts]
        qualities = [float(self.estimates.quality[place]) for place in places]
        confidences = self.parts.panel.confidences(qualities, self.case(evidence, 0))
        return replace(evidence, confidences=confidences)


def consider(task: Task, parts: Parts) -> Considered:
    """Encode the query, keep the candidates that can serve it, and predict them.

    Raises `NoCandidate` where nobody can serve it within the objective's limits.
    """
    features = parts.encoder.encode(task.query)
    fit = eligible(task, features, parts.unsupported)
    estimates = parts.estimator.estimate(features, fit)
    hold(task.objective, estimates)
    return Considered(
        task=task, parts=parts, features=features, estimates=estimates, candidates=fit
    )


def hold(objective: Objective, estimates: Estimates) -> None:
    """Refuse plainly where a limit cannot be met, rather than break it or hang.

    Raises `NoCandidate`, which names the limit.
    """
    floor, ceiling_usd = objective.min_quality, objective.max_cost_usd
    if floor is not None and estimates.quality.max() < floor:
        told = f"no model is predicted to reach {floor:g}, the best {estimates.quality.max():.2f}"
        raise NoCandidate(told, where="min_quality")
    if ceiling_usd is not None and not (estimates.cost_usd <= ceiling_usd).any():
        told = f"the cheapest is expected to cost {np.nanmin(estimates.cost_usd):.2g} US dollars"
        raise NoCandidate(f"{told}, more than {ceiling_usd:g}", where="max_cost_usd")
