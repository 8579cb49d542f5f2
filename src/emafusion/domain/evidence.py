"""What is known so far of one query, and the steps a policy can take on it."""

from __future__ import annotations

from msgspec import Struct

from emafusion.domain.attempt import Attempt
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.query import Query


class Judgement(Struct, frozen=True, kw_only=True):
    """A judge's opinion of one attempt.

    `value`: 0..1, higher is better, on the judge's own scale (the panel calibrates it); None means
    that the judge abstains. `attempt`: index into the evidence. `verdict`: the judge's raw words.
    """

    judge: str
    attempt: int
    value: float | None
    verdict: str = ""
    cost_usd: float | None = 0.0
    latency_s: float = 0.0


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything seen of one query so far.

    `confidences`: for each attempt the probability that it is acceptable, None if it failed;
    `groups`: for each attempt the number of its group of equal answers, -1 if it failed, below -1
    if it has no short answer that another could equal; `labelled`: calls made to label the query,
    which answer nothing but take money and time.
    """

    attempts: tuple[Attempt, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    confidences: tuple[float | None, ...] = ()
    groups: tuple[int, ...] = ()
    labelled: tuple[Attempt, ...] = ()

    @property
    def cost_usd(self) -> float | None:
        """Money spent on attempts, judges and labels; None as soon as one part is unknown."""
        parts = [a.cost_usd for a in self.attempts] + [j.cost_usd for j in self.judgements]
        if self.labelled:
            parts += [a.cost_usd for a in self.labelled]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def best(self) -> int | None:
        """Index of the attempt with the highest confidence; None if nothing answered."""
        known = [(c, -i) for i, c in enumerate(self.confidences) if c is not None]
        return -max(known)[1] if known else None


class CallStep(Struct, frozen=True, kw_only=True):
    """Call a candidate; `live` lets its stream through to the client unread."""

    candidate: str
    live: bool = False


class JudgeStep(Struct, frozen=True, kw_only=True):
    """Let these judges read one attempt."""

    judges: tuple[str, ...]
    attempt: int


class StopStep(Struct, frozen=True, kw_only=True):
    """Give this attempt as the answer; None: nothing answered."""

    attempt: int | None


Step = CallStep | JudgeStep | StopStep


class Plan(Struct, frozen=True, kw_only=True):
    """A policy's next step and its forecast.

    `propensity`: 0..1, the probability with which this policy takes `step` here. `likely`: steps
    it expects after that; shown, never executed. `quality`, `cost_usd`: expected of the whole.
    """

    step: Step
    propensity: float
    reason: str
    likely: tuple[Step, ...] = ()
    quality: float | None = None
    cost_usd: float | None = None


class JudgeCard(Struct, frozen=True, kw_only=True):
    """What a policy knows of a judge: its kind and what one judgement costs.

    `kind`: `rules`, `logprob`, `agreement` or `llm`; `cost_usd`: expected, None if unknown.
    """

    name: str
    kind: str
    cost_usd: float | None = 0.0
    latency_s: float = 0.0


class Situation(Struct, frozen=True, kw_only=True, eq=False):
    """All that a policy may look at when it plans."""

    query_id: str
    features: Features
    estimates: Estimates
    candidates: tuple[Candidate, ...]
    judges: tuple[JudgeCard, ...]
    evidence: Evidence
    objective: Objective


class Case(Struct, frozen=True, kw_only=True, eq=False):
    """What a judge reads: the query and the attempt in question, among all attempts."""

    query: Query
    evidence: Evidence
    attempt: int
    candidates: tuple[Candidate, ...]

    @property
    def subject(self) -> Attempt:
        """The attempt to be judged."""
        return self.evidence.attempts[self.attempt]
