"""Judges as a policy sees them: who is free, who has read what, how well a paid one reads."""

from __future__ import annotations

from dataclasses import dataclass

from emafusion.domain.evidence import JudgeCard, Situation


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How well a paid judge reads: shares of right and of wrong answers it tells as such.

    Measured on RewardBench 2 for five judge models, grades of 7 and more taken as "right".
    """

    sensitivity: float = 0.6
    specificity: float = 0.9

    def verdicts(self, confidence: float) -> tuple[tuple[float, float], tuple[float, float]]:
        """For "right" and for "wrong": its chance, and the factor on the odds of the answer.

        >>> Reader(sensitivity=0.5, specificity=0.5).verdicts(0.3)
        ((0.5, 1.0), (0.5, 1.0))
        """
        right, wrong = self.sensitivity, 1.0 - self.specificity
        chance = confidence * right + (1.0 - confidence) * wrong
        return (chance, right / wrong), (1.0 - chance, (1.0 - right) / self.specificity)


def is_paid(card: JudgeCard) -> bool:
    """Whether asking it costs a call."""
    return card.kind == "llm"


def free_judges(situation: Situation) -> tuple[str, ...]:
    """Names of the judges that cost nothing."""
    return tuple([card.name for card in situation.judges if not is_paid(card)])


def unread(situation: Situation) -> int | None:
    """The first held answer that the free judges have not read; None if there is none."""
    attempts = situation.evidence.attempts
    if not attempts or all(is_paid(card) for card in situation.judges):
        return None
    read = {judgement.attempt for judgement in situation.evidence.judgements}
    for i, attempt in enumerate(attempts):
        if attempt.reply is not None and i not in read:
            return i
    return None


def unasked(situation: Situation, attempt: int) -> JudgeCard | None:
    """A paid judge of known price that has not read this attempt; None if there is none."""
    cards = [card for card in situation.judges if is_paid(card) and card.cost_usd is not None]
    if not cards:
        return None
    asked = {j.judge for j in situation.evidence.judgements if j.attempt == attempt}
    return next((card for card in cards if card.name not in asked), None)
