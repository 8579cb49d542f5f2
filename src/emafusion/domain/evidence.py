"""What is known so far of one query, and the steps a policy can take on it."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from emafusion.domain.attempt import Attempt
from emafusion.domain.features import Estimates, Features
from emafusion.domain.model import Candidate, Objective, family_word
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


class Merge(Struct, frozen=True, kw_only=True):
    """An answer that one candidate wrote from those of several.

    `of`: the attempts that it was written from; `over`: the attempt that it was compared with, the
    best single one. `compared`: what was said of the two, each value 0..1 and above 0.5 where the
    merge is preferred; their `attempt` is `over`. `kept`: whether it is preferred by enough.
    """

    attempt: Attempt
    of: tuple[int, ...]
    over: int
    compared: tuple[Judgement, ...] = ()
    kept: bool = False


class Evidence(Struct, frozen=True, kw_only=True):
    """Everything seen of one query so far.

    `confidences`: for each attempt the probability that it is acceptable, None if it failed;
    `groups`: for each attempt the number of its group of equal answers, -1 if it failed, below -1
    if it has no short answer that another could equal; `labelled`: calls made to label or to split
    the query, which answer nothing but take money and time; `merge`: what was written from the
    attempts, None where nothing was; `gathered`: how many of the first attempts ran side by side.
    """

    attempts: tuple[Attempt, ...] = ()
    judgements: tuple[Judgement, ...] = ()
    confidences: tuple[float | None, ...] = ()
    groups: tuple[int, ...] = ()
    labelled: tuple[Attempt, ...] = ()
    merge: Merge | None = None
    gathered: int = 0

    @property
    def calls(self) -> tuple[Attempt, ...]:
        """Every call of a model but those of judges: what labels, what answers, what writes."""
        written = () if self.merge is None else (self.merge.attempt,)
        return (*self.labelled, *self.attempts, *written)

    @property
    def opinions(self) -> tuple[Judgement, ...]:
        """Everything that judges said, of answers and of one that was written of several."""
        compared = () if self.merge is None else self.merge.compared
        return (*self.judgements, *compared)

    @property
    def cost_usd(self) -> float | None:
        """Money spent on all of it; None as soon as one part is unknown."""
        parts = [a.cost_usd for a in self.attempts] + [j.cost_usd for j in self.judgements]
        if self.labelled:
            parts += [a.cost_usd for a in self.labelled]
        if self.merge is not None:
            parts += [self.merge.attempt.cost_usd, *(j.cost_usd for j in self.merge.compared)]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    @property
    def latency_s(self) -> float:
        """Seconds that all of it took; calls that ran side by side count once, by the slowest."""
        together = [attempt.latency_s for attempt in self.attempts[: self.gathered]]
        later = [a.latency_s for a in (*self.attempts[self.gathered :], *self.labelled)]
        seconds = max(together, default=0.0) + sum(later) + _reading_s(self.judgements)
        if self.merge is None:
            return seconds
        return seconds + self.merge.attempt.latency_s + _reading_s(self.merge.compared)

    @property
    def best(self) -> int | None:
        """Index of the attempt with the highest confidence; None if nothing answered."""
        known = [(c, -i) for i, c in enumerate(self.confidences) if c is not None]
        return -max(known)[1] if known else None

    def rival(self, attempt: int) -> int | None:
        """The most trusted attempt that gave another answer than this one; None if none did.

        >>> held = Evidence(confidences=(0.9, 0.8, 0.6, None), groups=(0, 0, -2, -1))
        >>> held.rival(0), held.rival(2), Evidence(confidences=(0.9,), groups=(0,)).rival(0)
        (2, 0, None)
        """
        groups = dict(enumerate(self.groups))
        known = [
            (c, -i)
            for i, c in enumerate(self.confidences)
            if c is not None and i != attempt and groups.get(i, i) != groups.get(attempt)
        ]
        return -max(known)[1] if known else None


class CallStep(Struct, frozen=True, kw_only=True):
    """Call a candidate; `live` lets its stream through to the client unread."""

    candidate: str
    live: bool = False


class JudgeStep(Struct, frozen=True, kw_only=True):
    """Let these judges read one attempt."""

    judges: tuple[str, ...]
    attempt: int


class GatherStep(Struct, frozen=True, kw_only=True):
    """Call several candidates at once and hold what they say."""

    candidates: tuple[str, ...]


class FuseStep(Struct, frozen=True, kw_only=True):
    """Let a candidate write one answer from these attempts, and compare it with the attempt `over`.

    What comes of it is the evidence's `merge`.
    """

    candidate: str
    attempts: tuple[int, ...]
    over: int


class Fused(Struct, frozen=True, kw_only=True):
    """An answer that is not one attempt's own.

    `way`: `vote`, the equal answer of these attempts, in the words of the first of them; `merge`,
    written from them; `parts`, put together of the answers to parts of the query.
    """

    way: Literal["vote", "merge", "parts"]
    attempts: tuple[int, ...]


class StopStep(Struct, frozen=True, kw_only=True):
    """Give this attempt as the answer, or one made of several; neither: nothing answered."""

    attempt: int | None
    fused: Fused | None = None


Step = CallStep | JudgeStep | GatherStep | FuseStep | StopStep


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


class Signal(Struct, frozen=True, kw_only=True):
    """What one signal made of the probability that an attempt is acceptable.

    `name`: a judge's, or `predicted` (what was expected of its model), `unread` (it holds nothing
    that others could equal), `alike` (equal answers) or `rivals` (other answers). `value`: what it
    said, None where it abstained; `weight` >= 0: in log-odds for each unit that it brings;
    `before`, `after`: 0..1. `effective`: how many model judges that err apart those heard so far
    are worth, None for other signals.
    """

    name: str
    attempt: int
    value: float | None
    weight: float
    before: float
    after: float
    cost_usd: float | None = 0.0
    effective: float | None = None


class JudgeCard(Struct, frozen=True, kw_only=True):
    """What a policy knows of a judge: its kind and what one judgement costs.

    `kind`: `rules`, `logprob`, `agreement` or `llm`; `cost_usd`: expected, None if unknown;
    `family`: of its model, empty where there is none or its name tells; `kin`: candidates whose
    answers it does not read, being of its family; `pairs`: whether it compares two answers.
    """

    name: str
    kind: str
    cost_usd: float | None = 0.0
    latency_s: float = 0.0
    family: str = ""
    kin: frozenset[str] = frozenset()
    pairs: bool = False

    @property
    def kindred(self) -> str:
        """Its family, or what its name tells of it: siblings err alike."""
        return self.family or family_word(self.name)


class Situation(Struct, frozen=True, kw_only=True, eq=False):
    """All that a policy may look at when it plans.

    `writable`: whether one answer may be written from several; `repeatable`: whether a model that
    is asked again may say something else; `streamed`: whether the client sees an answer as it
    comes, so that nothing can follow one that is let through.
    """

    query_id: str
    features: Features
    estimates: Estimates
    candidates: tuple[Candidate, ...]
    judges: tuple[JudgeCard, ...]
    evidence: Evidence
    objective: Objective
    writable: bool = False
    repeatable: bool = False
    streamed: bool = False


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


def _reading_s(judgements: tuple[Judgement, ...]) -> float:
    return sum([judgement.latency_s for judgement in judgements])
