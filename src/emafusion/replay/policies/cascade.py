"""The fixed cascade: cheapest first, on until the confidence passes a threshold."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.evidence import CallStep, JudgeStep, Plan, Situation, StopStep


@dataclass(frozen=True, slots=True, kw_only=True)
class CascadePolicy:
    """Calls a chain in order and stops at the first answer that is trusted; implements `Policy`.

    `chain`: names, cheapest first; those that cannot serve a query are passed over. The threshold
    is the objective's `quality_weight`: 0 takes the first answer, 1 asks the whole chain. Where
    none is trusted the one of the highest confidence is given.
    """

    chain: tuple[str, ...]

    def plan(self, situation: Situation, /) -> Plan:
        """Call the next of the chain, let the judges read, or stop."""
        evidence = situation.evidence
        unread = _unread(situation)
        if unread is not None:
            return Plan(
                step=JudgeStep(judges=tuple(j.name for j in situation.judges), attempt=unread),
                propensity=1.0,
                reason="every judge reads every answer",
            )
        tried = {attempt.candidate for attempt in evidence.attempts}
        there = {candidate.name for candidate in situation.candidates}
        left = [name for name in self.chain if name in there - tried] or (
            [] if tried else sorted(there)[:1]
        )
        best = evidence.best
        confidence = None if best is None else evidence.confidences[best]
        trusted = confidence is not None and confidence >= situation.objective.quality_weight
        if trusted or not left:
            stop = StopStep(attempt=best)
            return Plan(step=stop, propensity=1.0, reason="trusted" if trusted else "end of chain")
        return Plan(
            step=CallStep(candidate=left[0]), propensity=1.0, reason="the next of the chain"
        )


def _unread(situation: Situation) -> int | None:
    """The first answer that no judge has read."""
    if not situation.judges:
        return None
    read = {judgement.attempt for judgement in situation.evidence.judgements}
    attempts = enumerate(situation.evidence.attempts)
    return next((i for i, a in attempts if a.reply is not None and i not in read), None)
