"""Several judgements and the groups of equal answers -> one probability that an answer is right."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec import Struct

from emafusion.domain.evidence import Case, Evidence, Judgement
from emafusion.judge.asked import form_of
from emafusion.judge.curve import LIMIT, logit, sigmoid
from emafusion.judge.family import vote_weight
from emafusion.judge.grouping import NOTHING
from emafusion.judge.state import KINDS, FormState, PanelState, kind_of

_PLACE = {kind: place for place, kind in enumerate(KINDS)}

UNKNOWN_CAP = 0.1
"""What is left of the probability when a hard check fails that the state does not know."""


@dataclass(frozen=True, slots=True)
class LogOddsPanel:
    r"""Non-negative log-odds fusion of judges, then a vote of equal answers.

    Each attempt alone: `a = b + w_q logit(quality) + sum_j w_j l_j(z_j)`, where an abstaining judge
    adds 0, model judges share a design effect `1 + (k - 1) r`, and a failed hard check leaves the
    share `cap` of the probability, an answer that cannot be read `unread`. Then the vote, with
    `u_j = v_j max(0, w_a + w_p a_j)` for a peer j that gives the same answer (`v_j` < 1 within a
    family): a group g of equal answers has support `S_g = a_first + sum of u over its others`, and
    attempt i of group g is right with log-odds `S_g - w_o log(1 + sum_(h != g) exp S_h)`. With
    `w_o = 1` that is Bayes' rule where one group is right at most; `S_g` starts from the attempt
    itself, for a rival group from its strongest.

    Never falls when a judge of this attempt gives more; does not depend on any order; strictly
    inside 0..1.
    """

    state: PanelState = field(default_factory=PanelState.default)

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
        return tuple(self._confidence(i, poll) if ok else None for i, ok in enumerate(replied))

    def _poll(self, qualities: Sequence[float], case: Case) -> _Poll:
        weights = self.state.forms[form_of(case.query)]
        evidence = case.evidence
        groups = evidence.groups if len(evidence.groups) == len(evidence.attempts) else ()
        voting = [group >= 0 for group in groups] if len(groups) > 1 else [False] * len(qualities)
        said = _by_attempt(evidence, voting)
        alone = [self._alone(q, of, weights) for q, of in zip(qualities, said, strict=True)]
        if weights.unread < 1.0:
            alone = _unread(alone, groups, weights.unread)
        return _Poll(case=case, weights=weights, voting=voting, alone=alone)

    def _alone(self, quality: float, judgements: list[Judgement], weights: FormState) -> float:
        """Log-odds of one attempt by its own judges."""
        parts = [weights.bias, weights.quality * logit(quality)]
        heads = sum(kind_of(j.judge) == "llm" for j in judgements)
        spread, cap = 1.0 + max(0, heads - 1) * self.state.correlation, 1.0
        for judgement in judgements:
            kind = kind_of(judgement.judge)
            weight = weights.kinds[_PLACE[kind]] if kind in _PLACE else 0.0
            added = weight * self._log_odds(judgement, kind)
            parts.append(added / spread if kind == "llm" else added)
            if kind == "rules" and judgement.value == 0.0:
                cap = min(cap, self._cap(judgement))
        log_odds = max(-LIMIT, min(LIMIT, math.fsum(parts)))
        return log_odds if cap >= 1.0 else logit(cap * sigmoid(log_odds))

    def _log_odds(self, judgement: Judgement, kind: str) -> float:
        curve = self.state.curves.get(judgement.judge) or self.state.curves.get(kind)
        return 0.0 if curve is None or judgement.value is None else curve.at(judgement.value)

    def _cap(self, judgement: Judgement) -> float:
        return self.state.caps.get(judgement.verdict.partition(":")[0], UNKNOWN_CAP)

    @staticmethod
    def _confidence(i: int, poll: _Poll) -> float:
        return sigmoid(_voted(i, poll) if poll.voting[i] else poll.alone[i])


class _Poll(Struct, frozen=True, kw_only=True):
    """Log-odds of each attempt alone, and which of them have a short answer to vote with."""

    case: Case
    weights: FormState
    voting: list[bool]
    alone: list[float]


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


def _unread(alone: list[float], groups: Sequence[int], share: float) -> list[float]:
    """Leave that share of the probability of an answer in which nothing could be read."""
    told = zip(alone, groups or [0] * len(alone), strict=True)
    return [logit(share * sigmoid(odds)) if group <= NOTHING else odds for odds, group in told]


def _voted(i: int, poll: _Poll) -> float:
    """Log-odds that the answer of attempt i is right, given all groups."""
    groups = poll.case.evidence.groups
    rivals = {g for j, g in enumerate(groups) if poll.voting[j] and g != groups[i]}
    against = math.fsum(math.exp(_support(_strongest(g, poll), poll)) for g in sorted(rivals))
    return _support(i, poll) - poll.weights.oppose * math.log(1.0 + against)


def _strongest(group: int, poll: _Poll) -> int:
    members = [j for j, g in enumerate(poll.case.evidence.groups) if g == group and poll.voting[j]]
    return max(members, key=lambda j: poll.alone[j])


def _support(first: int, poll: _Poll) -> float:
    """S_g: log-odds of the first member and the votes of the others of its group."""
    case, weights = poll.case, poll.weights
    attempts, groups = case.evidence.attempts, case.evidence.groups
    votes = [
        vote_weight(attempts[first].candidate, attempts[j].candidate, case.candidates)
        * max(0.0, weights.agree + weights.peer * poll.alone[j])
        for j, g in enumerate(groups)
        if g == groups[first] and j != first and poll.voting[j]
    ]
    return poll.alone[first] + math.fsum(votes)
