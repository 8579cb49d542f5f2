"""Several judgements and the groups of equal answers -> one probability that an answer is right."""

from __future__ import annotations

import itertools
import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.domain.query import Query
from emafusion.judge.asked import form_of
from emafusion.judge.curve import LIMIT, Curve, logit, sigmoid
from emafusion.judge.family import SAME_MODEL, kinship
from emafusion.judge.grouping import NOTHING
from emafusion.judge.heads import ANY
from emafusion.judge.state import KINDS, FormState, PanelState, kind_of

_PLACE = {kind: place for place, kind in enumerate(KINDS)}
_LLM = _PLACE["llm"]
WHOLE = ("user",)
"""Kinds whose weight is in their curve."""

UNKNOWN_CAP = 0.1
"""What is left of the probability when a hard check fails that the state does not know."""


@dataclass(frozen=True, slots=True)
class LogOddsPanel:
    r"""Non-negative log-odds fusion of judges, then a vote of equal answers.

    Each attempt alone: `a = b + w_q logit(quality) + sum_j w_j l_j(z_j)`, where an abstaining judge
    adds 0, model judges that were measured weigh as `judge.heads` says, others share a design
    effect `1 + (k - 1) r`, each counts once however often it spoke, and a failed hard check leaves
    the share `cap` of the probability, an answer that cannot be read `unread`. Then the vote, with
    `u_j = v_j max(0, w_a + w_p a_j)` for a peer j that gives the same answer (`v_j` < 1 within a
    family): a group g of equal answers has support `S_g = a_first + sum_n further^n u_(n)` over its
    others, the strongest first (models share errors: each further vote tells less), and attempt i
    of group g is right with log-odds `S_g - w_o log(1 + sum_(h != g) exp S_h)`. With `w_o = 1` that
    is Bayes' rule where one group is right at most; `S_g` starts from the attempt itself, for a
    rival group from its strongest. `models`: canonical name of a candidate's model, for curves that
    are of one model alone. At last all are set to the level that answers had at which the
    policy stopped.

    Never falls when a judge of this attempt gives more; does not depend on any order; strictly
    inside 0..1.
    """

    state: PanelState = field(default_factory=PanelState.default)
    models: Mapping[str, str] = field(default_factory=dict[str, str])

    def combine(self, quality: float, case: Case, /) -> float:
        """Probability that the attempt is acceptable; peers count as good as itself beforehand."""
        return self._confidence(
            case.attempt, self._poll([quality] * len(case.evidence.attempts), case)
        )

    def confidences(self, qualities: Sequence[float], case: Case, /) -> tuple[float | None, ...]:
        """Each attempt's probability, None where it failed; `qualities`: one for each attempt.

        Better than `combine` where attempts are of unequal models: each peer's vote weighs by its
        own quality. `case.attempt` is not looked at.
        """
        poll = self._poll(qualities, case)
        replied = [attempt.reply is not None for attempt in case.evidence.attempts]
        return tuple([self._confidence(i, poll) if ok else None for i, ok in enumerate(replied)])

    def effective(self, judges: Collection[str], /) -> float:
        """How many model judges that err apart these are worth: measured, else as stated."""
        names, heads = sorted(judges), self.state.heads
        known = frozenset[str]() if heads is None else frozenset(heads.names)
        pairs = [
            self.state.correlation if heads is None or not {a, b} <= known else heads.alike(a, b)
            for a, b in itertools.combinations(names, 2)
        ]
        mean = max(0.0, math.fsum(pairs) / len(pairs)) if pairs else 0.0
        return n_eff(len(names), mean)

    def weight(self, judge: str, heard: Collection[str], query: Query, /) -> float:
        """What a model judge weighs beside those heard, itself among them: >= 0."""
        heads, whole = self.state.heads, self.state.forms[form_of(query)].kinds[_LLM]
        if heads is None or judge not in heads.names:
            return whole / (1.0 + (len(heard) - 1) * self.state.correlation)
        spoke = tuple([name in heard for name in heads.names])
        weighing = heads.weighing(self._task_of(query), spoke)
        return whole * weighing.weights[heads.names.index(judge)]

    def _poll(self, qualities: Sequence[float], case: Case) -> _Poll:
        weights = self.state.forms[form_of(case.query)]
        evidence = case.evidence
        groups = evidence.groups if len(evidence.groups) == len(evidence.attempts) else ()
        voting = [group >= 0 for group in groups] if len(groups) > 1 else [False] * len(qualities)
        said = _by_attempt(evidence, voting)
        left = [weights.unread if group <= NOTHING else 1.0 for group in groups or [0] * len(said)]
        alone = [
            self._alone(
                _Own(
                    quality=q,
                    said=said[i],
                    cap=left[i],
                    graded=self._graded(i, said[i], case),
                    model=self.models.get(evidence.attempts[i].candidate, ""),
                ),
                weights,
            )
            for i, q in enumerate(qualities)
        ]
        support = _supports(case, weights, voting=voting, alone=alone) if any(voting) else alone
        return _Poll(groups=groups, weights=weights, voting=voting, alone=alone, support=support)

    def _alone(self, own: _Own, weights: FormState) -> float:
        """Log-odds of one attempt by its own judges."""
        cap = own.cap
        parts = [
            weights.bias,
            weights.quality * logit(own.quality),
            weights.kinds[_LLM] * own.graded,
        ]
        for judgement in own.said:
            kind = kind_of(judgement.judge)
            if kind == "llm":
                continue
            weight = weights.kinds[_PLACE[kind]] if kind in _PLACE else float(kind in WHOLE)
            parts.append(weight * self._log_odds(judgement, kind, own.model))
            if kind == "rules" and judgement.value == 0.0:
                cap = min(cap, self._cap(judgement))
        log_odds = max(-LIMIT, min(LIMIT, math.fsum(parts)))
        return log_odds if cap >= 1.0 else logit(cap * sigmoid(log_odds))

    def _graded(self, i: int, judgements: list[Judgement], case: Case) -> float:
        """Log-odds by all model judges of attempt i together, each heard once."""
        said = _grades(judgements)
        if not said:
            return 0.0
        heads = self.state.heads
        known = {} if heads is None else {n: v for n, v in said.items() if n in heads.names}
        added: list[float] = []
        if heads is not None and known:
            task = self._task_of(case.query)
            added.append(heads.evidence(known, task, log_length=_log_length(i, case)))
        spread = 1.0 + (len(said) - 1) * self.state.correlation
        added += [
            self._unmeasured(name).at(value) / spread
            for name, value in said.items()
            if name not in known
        ]
        return math.fsum(added)

    def _task_of(self, query: Query) -> str:
        """The most special task of a query that the measured judges are known on."""
        names = (f"dataset/{query.dataset}", f"form/{form_of(query)}")
        return ANY if self.state.heads is None else self.state.heads.task_of(*names)

    def _unmeasured(self, name: str) -> Curve:
        """The curve of a model judge by itself: its own, or that of all who are asked alike."""
        curves = self.state.curves
        ways = ("llm:yes", "llm:pair")
        asked = next((way for way in ways if name.startswith(f"{way}:")), "llm")
        return curves.get(name) or curves[asked]

    def _log_odds(self, judgement: Judgement, kind: str, model: str) -> float:
        curves = self.state.curves
        curve = curves.get(f"{kind}@{model}") or curves.get(judgement.judge) or curves.get(kind)
        return 0.0 if curve is None or judgement.value is None else curve.at(judgement.value)

    def _cap(self, judgement: Judgement) -> float:
        return self.state.caps.get(judgement.verdict.partition(":")[0], UNKNOWN_CAP)

    def _confidence(self, i: int, poll: _Poll) -> float:
        log_odds = _voted(i, poll) if poll.voting[i] else poll.alone[i]
        return sigmoid(self.state.shift + self.state.slope * log_odds)


class _Own(Struct, frozen=True, kw_only=True):
    """One attempt by itself.

    `cap`: share left before judges speak; `graded`: log-odds by its model judges; `model`: who
    wrote it, by canonical name, empty where unknown.
    """

    quality: float
    said: list[Judgement]
    cap: float
    graded: float
    model: str


class _Poll(Struct, frozen=True, kw_only=True):
    """Log-odds of each attempt alone and with those that agree; which of them may vote."""

    groups: Sequence[int]
    weights: FormState
    voting: list[bool]
    alone: list[float]
    support: list[float]


def n_eff(judges: int, correlation: float) -> float:
    """How many independent judges so many correlated ones are worth: k / (1 + (k - 1) r).

    >>> n_eff(9, 0.4375)
    2.0
    """
    return judges / (1.0 + (judges - 1) * correlation) if judges else 0.0


def _by_attempt(evidence: Evidence, voting: list[bool]) -> list[list[Judgement]]:
    """What was said of each attempt; agreement is left to the groups where there is a vote."""
    said: list[list[Judgement]] = [[] for _ in voting]
    for judgement in evidence.judgements:
        i = judgement.attempt
        if judgement.value is None or (voting[i] and kind_of(judgement.judge) == "agreement"):
            continue
        said[i].append(judgement)
    return said


def _grades(judgements: list[Judgement]) -> dict[str, float]:
    """Value by model judge; who was asked several times says the mean: it erred alike each time."""
    said: dict[str, list[float]] = {}
    for judgement in judgements:
        if judgement.value is not None and kind_of(judgement.judge) == "llm":
            said.setdefault(judgement.judge, []).append(judgement.value)
    return {name: math.fsum(values) / len(values) for name, values in said.items()}


def _log_length(i: int, case: Case) -> float | None:
    """Logarithm of the characters of an answer; None where it has none."""
    reply = case.evidence.attempts[i].reply
    text = "" if reply is None else reply.choices[0].text
    return math.log(len(text)) if text else None


def _voted(i: int, poll: _Poll) -> float:
    """Log-odds that the answer of attempt i is right, given all groups."""
    strongest: dict[int, int] = {}
    for j, group in enumerate(poll.groups):
        if poll.voting[j] and group != poll.groups[i]:
            leader = strongest.setdefault(group, j)
            if poll.alone[j] > poll.alone[leader]:
                strongest[group] = j
    against = math.fsum([math.exp(poll.support[j]) for j in strongest.values()])
    return poll.support[i] - poll.weights.oppose * math.log(1.0 + against)


def _supports(
    case: Case, weights: FormState, *, voting: list[bool], alone: list[float]
) -> list[float]:
    """S_g from each attempt: its log-odds and the votes of the others of its group."""
    groups, names = case.evidence.groups, [a.candidate for a in case.evidence.attempts]
    if len(set(groups)) == len(groups):
        return alone
    models = {c.name: c.model for c in case.candidates if c.name in names}
    support: list[float] = []
    for i, group in enumerate(groups):
        votes: list[float] = []
        for j, other in enumerate(groups):
            if other == group and j != i and voting[j]:
                same = names[i] == names[j]
                near = SAME_MODEL if same else kinship(models.get(names[i]), models.get(names[j]))
                votes.append(near * max(0.0, weights.agree + weights.peer * alone[j]))
        votes.sort(reverse=True)
        added = [vote * weights.further**rank for rank, vote in enumerate(votes)]
        support.append(math.fsum([alone[i], *added]))
    return support
