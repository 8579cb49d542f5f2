"""What is known of a query before anybody is called, and how evidence is weighed after."""

from __future__ import annotations

import math

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from emafusion.domain.command import Call
from emafusion.domain.errors import NoCandidate
from emafusion.domain.evidence import Case, Evidence, Signal, Situation
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.query import Settings
from emafusion.flow.eligible import eligible
from emafusion.flow.parts import Parts, Task
from emafusion.flow.warm import warmed


class Considered(Struct, frozen=True, kw_only=True, eq=False):
    """What does not change while a query is answered; `candidates` are those that can serve it."""

    task: Task
    parts: Parts
    features: Features
    estimates: Estimates
    candidates: tuple[Candidate, ...]

    def candidate(self, name: str) -> Candidate:
        """The candidate of that name."""
        return next(c for c in self.candidates if c.name == name)

    def call(self, name: str, *, live: bool = False) -> Call:
        """The call that asks a candidate for an answer."""
        query, candidate = self.task.query, self.candidate(name)
        live = live and query.stream
        scored = not live and "logprobs" in candidate.model.abilities and self._is_scoring()
        return Call(candidate=candidate, query=query, live=live, scored=scored)

    def _is_scoring(self) -> bool:
        """Whether a judge reads token log-probabilities."""
        return any(card.kind == "logprob" for card in self.parts.cards)

    def situation(self, evidence: Evidence) -> Situation:
        """All that the policy may look at."""
        fusing = self.parts.fusing
        return Situation(
            query_id=self.task.query.query_id,
            features=self.features,
            estimates=self.estimates,
            candidates=self.candidates,
            judges=self.parts.cards,
            evidence=evidence,
            objective=self.task.objective,
            writable=fusing is not None and fusing.fits(self.task.query),
            repeatable=is_repeatable(self.task.query.settings),
            streamed=self.task.query.stream,
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
        case = self.case(evidence, 0)
        confidences = self.parts.panel.confidences(self._qualities(evidence), case)
        return replace(evidence, confidences=confidences)

    def signals(self, evidence: Evidence) -> tuple[Signal, ...]:
        """How the confidence in each attempt came about, as far as the panel can say."""
        explain = self.parts.explain
        if explain is None or not evidence.attempts:
            return ()
        return explain(self._qualities(evidence), self.case(evidence, 0))

    def baseline_usd(self) -> float | None:
        """Expected cost of whom savings are counted against; None where it is unknown."""
        estimates, single = self.estimates, self.parts.best_single
        if self.task.baseline is not None:
            single = self.task.baseline.name
            estimates = self.parts.estimator.estimate(self.features, (self.task.baseline,))
        if single not in estimates.candidates:
            return None
        cost_usd = float(estimates.cost_usd[estimates.candidates.index(single)])
        return None if math.isnan(cost_usd) else cost_usd

    def _qualities(self, evidence: Evidence) -> list[float]:
        """What was predicted of each attempt's candidate, 0..1."""
        places = [self.estimates.candidates.index(a.candidate) for a in evidence.attempts]
        return [float(self.estimates.quality[place]) for place in places]


def consider(task: Task, parts: Parts) -> Considered:
    """Encode the query, keep the candidates that can serve it, and predict them.

    Raises `NoCandidate` where nobody can serve it within the objective's limits.
    """
    features = parts.encoder.encode(task.query)
    fit = eligible(task, features, parts.unsupported)
    estimates = predicted(task, parts, features, candidates=fit)
    hold(task.objective, estimates)
    return Considered(
        task=task, parts=parts, features=features, estimates=estimates, candidates=fit
    )


def is_repeatable(settings: Settings) -> bool:
    """Whether the client leaves room for chance: a fixed seed or temperature 0 leaves none."""
    return settings.temperature != 0.0 and settings.seed is None and settings.n == 1


def predicted(
    task: Task, parts: Parts, features: Features, *, candidates: tuple[Candidate, ...]
) -> Estimates:
    """Predict each candidate, at the price that this conversation has with it."""
    estimates = parts.estimator.estimate(features, candidates)
    if not task.warm:
        return estimates
    return warmed(estimates, candidates, task.warm, prompt_tokens=features.prompt_tokens)


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
