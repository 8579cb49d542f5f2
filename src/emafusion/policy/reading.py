"""Judges as a policy sees them: who is free, who has read what, what a paid one may yet change."""

from __future__ import annotations

from dataclasses import dataclass
from math import exp
from typing import Protocol

from emafusion.domain.evidence import Evidence, JudgeCard, Situation

Verdicts = tuple[tuple[float, float], ...]
"""Of each thing that may be said: its chance, and the factor on the odds of the answer."""

_POINTS = (-2.85697, -1.35563, 0.0, 1.35563, 2.85697)
_CHANCES = (0.0112574, 0.2220759, 0.5333333, 0.2220759, 0.0112574)
"""The normal law in five points (Gauss and Hermite)."""
_STEPS, _NEAR = 8, 1e-4


class Measured(Protocol):
    """What was measured of judges together."""

    def swing(self, names: frozenset[str], asked: frozenset[str], /) -> float | None:
        """Standard deviation of what they add to the log-odds once these have spoken.

        None where nothing was measured of any of them.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How well paid judges read.

    `sensitivity`, `specificity`: of a judge that nobody has measured, shares of right and of wrong
    answers it tells as such; found on RewardBench 2 for five judge models, grades of 7 and more
    taken as "right". `correlation`: of the errors of two such. `measured`: what is known of others.
    """

    sensitivity: float = 0.6
    specificity: float = 0.9
    correlation: float = 0.5
    measured: Measured | None = None

    def verdicts(
        self,
        confidence: float,
        judges: frozenset[str] = frozenset(),
        asked: frozenset[str] = frozenset(),
        *,
        slope: float = 1.0,
    ) -> Verdicts:
        """What these judges may say of an answer; the mean of it is what is believed now.

        `slope`: by which what measured judges add counts.

        >>> Reader(sensitivity=0.5, specificity=0.5).verdicts(0.3)
        ((0.5, 1.0), (0.5, 1.0))
        """
        swing = None if self.measured is None else self.measured.swing(judges, asked)
        if swing is not None:
            return _spoken(confidence, slope * swing)
        news = self._independent(len(asked) + max(len(judges), 1)) - self._independent(len(asked))
        up = (self.sensitivity / (1.0 - self.specificity)) ** news
        down = ((1.0 - self.sensitivity) / self.specificity) ** news
        high, low = raised(confidence, up), raised(confidence, down)
        chance = (confidence - low) / (high - low) if high != low else 0.5
        return (chance, up), (1.0 - chance, down)

    def _independent(self, judges: int) -> float:
        """How many judges that err apart so many are worth."""
        return judges / (1.0 + (judges - 1) * self.correlation) if judges else 0.0


def raised(confidence: float, factor: float) -> float:
    """A probability whose odds are multiplied.

    >>> raised(0.5, 3.0)
    0.75
    """
    odds = confidence * factor
    whole = odds + 1.0 - confidence
    return odds / whole if whole > 0.0 else confidence


def _spoken(confidence: float, swing: float) -> Verdicts:
    """Log-odds spread by the normal law, shifted so that the mean probability stays."""
    wrong = 1.0 - confidence
    shift = 0.0
    for _ in range(_STEPS):
        odds = [confidence * exp(shift + swing * point) for point in _POINTS]
        after = [each / (each + wrong) for each in odds]
        mean = sum([c * p for c, p in zip(_CHANCES, after, strict=True)])
        slope = sum([c * p * (1.0 - p) for c, p in zip(_CHANCES, after, strict=True)])
        if abs(mean - confidence) < _NEAR or slope <= 0.0:
            break
        shift += max(-2.0, min(2.0, (confidence - mean) / slope))
    factors = [exp(shift + swing * point) for point in _POINTS]
    return tuple(zip(_CHANCES, factors, strict=True))


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


def unasked(situation: Situation, attempt: int) -> tuple[JudgeCard, ...]:
    """Paid judges that may still read this attempt: of known price, one of a family at most.

    Nobody judges answers of its own family. Where no price is known at all, of candidates neither,
    judges of unknown price may as well.
    """
    paid = [card for card in situation.judges if is_paid(card)]
    if not paid:
        return ()
    asked = asked_of(situation, attempt)
    families = {card.kindred for card in paid if card.name in asked}
    return tuple(
        [
            card
            for card in paid
            if (card.cost_usd is not None or _no_price(situation))
            and _may_read(card, attempt, situation.evidence)
            and card.kindred not in families
        ]
    )


def _may_read(card: JudgeCard, attempt: int, evidence: Evidence) -> bool:
    """Whether it is a stranger to the answer, or to both that it compares, and has not yet."""
    answerer = evidence.attempts[attempt].candidate
    if answerer in card.kin or not card.pairs:
        return answerer not in card.kin
    rival = evidence.rival(attempt)
    if rival is None or evidence.attempts[rival].candidate in card.kin:
        return False
    return all(each.judge != card.name for each in evidence.judgements if each.attempt == rival)


def one_a_family(cards: tuple[JudgeCard, ...]) -> tuple[JudgeCard, ...]:
    """The cheapest of each family, the cheapest first."""
    ordered = sorted(cards, key=lambda card: (card.cost_usd or 0.0, card.name))
    first: dict[str, JudgeCard] = {}
    for card in ordered:
        first.setdefault(card.kindred, card)
    return tuple(first.values())


def asked_of(situation: Situation, attempt: int) -> frozenset[str]:
    """Paid judges that have read this attempt."""
    paid = {card.name for card in situation.judges if is_paid(card)}
    judgements = situation.evidence.judgements
    return frozenset([e.judge for e in judgements if e.attempt == attempt and e.judge in paid])


def _no_price(situation: Situation) -> bool:
    """Whether no candidate's cost is known."""
    cost_usd = situation.estimates.cost_usd
    return not bool((cost_usd == cost_usd).any())  # noqa: PLR0124  # NaN is not itself
