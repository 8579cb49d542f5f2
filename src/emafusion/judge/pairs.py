"""The judge by comparison: the answer in front against the next best one, in both orders."""

from __future__ import annotations

import math
from dataclasses import dataclass

from emafusion.domain.command import Flow
from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.domain.model import Candidate
from emafusion.judge.comparing import LLMComparer

TIE = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class PairsJudge:
    """Asks `candidate` which of two different answers is better, twice.

    Value is how far this one is preferred, 0..1, mean of both orders; half where they contradict
    each other, since then the place was preferred and not the answer. Abstains, for free, where
    there is no other answer, or one of both is of its own family (`kin`). `cost_usd`: expected of
    both calls.
    """

    candidate: Candidate
    cost_usd: float | None = None
    kin: frozenset[str] = frozenset()

    @property
    def card(self) -> JudgeCard:
        """Name `llm:pair:CANDIDATE`, its family, and what both calls are expected to cost."""
        model = self.candidate.model
        return JudgeCard(
            name=f"llm:pair:{self.candidate.name}",
            kind="llm",
            cost_usd=self.cost_usd,
            family=model.family or model.provider,
            kin=self.kin,
            pairs=True,
        )

    def judge(self, case: Case) -> Flow[Judgement]:
        """Compare one attempt with its rival; yields at most two calls."""
        rival = case.evidence.rival(case.attempt)
        if rival is None:
            return self._judgement(case, (), "abstains: there is no other answer")
        comparer = LLMComparer(readers=(self.candidate,))
        said = yield from comparer.compare(case, case.evidence.attempts[rival])
        values = [1.0 - each.value for each in said if each.value is not None]
        if len(values) < 2:
            return self._judgement(case, said, said[-1].verdict)
        if (values[0] - TIE) * (values[1] - TIE) <= 0.0:
            return self._judgement(case, said, "a tie: each place once", value=TIE)
        value = math.fsum(values) / 2
        other = case.evidence.attempts[rival].candidate
        return self._judgement(case, said, f"preferred to {other}: {value:.2f}", value=value)

    def _judgement(
        self, case: Case, said: tuple[Judgement, ...], verdict: str, *, value: float | None = None
    ) -> Judgement:
        costs = [each.cost_usd for each in said]
        known = [cost for cost in costs if cost is not None]
        return Judgement(
            judge=self.card.name,
            attempt=case.attempt,
            value=value,
            verdict=verdict,
            cost_usd=math.fsum(known) if len(known) == len(costs) else None,
            latency_s=math.fsum([each.latency_s for each in said]),
        )
