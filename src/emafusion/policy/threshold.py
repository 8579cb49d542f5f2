"""The fixed cascade: cheapest first, on until the confidence passes a threshold."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.evidence import CallStep, JudgeStep, Plan, Situation
from emafusion.policy.ended import is_over, stop
from emafusion.policy.options import options


@dataclass(frozen=True, slots=True, kw_only=True)
class ThresholdPolicy:
    """Calls a chain in order and stops at the first answer that is trusted; implements `Policy`.

    `chain`: names, cheapest first; those that cannot serve a query are passed over. The threshold
    is the objective's `quality_weight`: 0 takes the first answer, 1 asks the whole chain. Where
    none is trusted the one of the highest confidence is given.
    """

    chain: tuple[str, ...]

    def plan(self, situation: Situation, /) -> Plan:
        """Call the next of the chain, let the judges read, or stop."""
        return climb(self.chain, situation)


def climb(chain: tuple[str, ...], situation: Situation) -> Plan:
    """The next step up a chain: call its next candidate, let every judge read, or stop.

    Where nobody of the chain answers, whoever else can serve the query is called, cheapest first.
    """
    evidence = situation.evidence
    unread = _unread(situation)
    if unread is not None:
        judges = tuple(card.name for card in situation.judges)
        step = JudgeStep(judges=judges, attempt=unread)
        return Plan(step=step, propensity=1.0, reason="every judge reads every answer")
    best = evidence.best
    confidence = 0.0 if best is None else evidence.confidences[best] or 0.0
    if best is not None and confidence >= situation.objective.quality_weight:
        return stop(best, f"confidence {confidence:.2f} passes the threshold")
    following = _next(chain, situation)
    if following is None:
        return stop(best, "end of the chain")
    return Plan(step=CallStep(candidate=following), propensity=1.0, reason="the next of the chain")


def _next(chain: tuple[str, ...], situation: Situation) -> str | None:
    if is_over(situation):
        return None
    left = options(situation, 0.0)
    may = {name for name, ok in zip(left.names, left.open, strict=True) if ok}
    following = next((name for name in chain if name in may), None)
    if following is None and situation.evidence.best is None:
        return min(may, key=lambda name: left.cost_usd[left.at(name)], default=None)
    return following


def _unread(situation: Situation) -> int | None:
    """The first answer that no judge has read."""
    if not situation.judges:
        return None
    read = {judgement.attempt for judgement in situation.evidence.judgements}
    attempts = enumerate(situation.evidence.attempts)
    return next((i for i, a in attempts if a.reply is not None and i not in read), None)
