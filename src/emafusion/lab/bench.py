"""One recorded answer while judges are heard on it, beside the other answers to its query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import nan

from msgspec import Struct

from emafusion.domain.evidence import Case, JudgeCard, Judgement
from emafusion.judge.beside import Beside
from emafusion.judge.curve import sigmoid

Cards = tuple[JudgeCard, ...]


class Heard(Struct, frozen=True, kw_only=True):
    """What came of one answer.

    `alone`: its confidence without the other answers to its query; `asked`: model judges that
    were heard; `cost_usd`: of those, `whole_usd`: of all that there are, NaN where unknown.
    """

    confidence: float
    alone: float
    asked: tuple[str, ...]
    cost_usd: float
    whole_usd: float


@dataclass(slots=True, kw_only=True, eq=False)
class Bench:
    """An answer and who judges it.

    `said`: what each judge that graded it says once it is heard, `cards`: those judges; `beside`:
    what other answers to its query tell; `odds`: log-odds by those who were `asked`.
    """

    case: Case
    quality: float
    said: dict[str, Judgement]
    cards: Cards
    beside: Beside
    odds: float = 0.0
    asked: list[str] = field(default_factory=list[str])

    def cost_usd(self, names: Sequence[str]) -> float:
        """Cost of these judgements, NaN where one is unknown."""
        costs = [self.said[name].cost_usd for name in names]
        return float(sum(nan if cost is None else cost for cost in costs))

    def odds_beside(self, others: Sequence[Bench]) -> float:
        """Log-odds with what is known by now of the others of its query."""
        return self.beside.odds(self.odds, [each.odds for each in others if each is not self])

    def slope(self, others: Sequence[Bench]) -> float:
        """By how much its own log-odds count in that."""
        return self.beside.slope if self.beside.is_for(len(others)) else 1.0

    def heard(self, others: Sequence[Bench]) -> Heard:
        """What came of it."""
        return Heard(
            confidence=sigmoid(self.odds_beside(others)),
            alone=sigmoid(self.odds),
            asked=tuple(self.asked),
            cost_usd=self.cost_usd(self.asked),
            whole_usd=self.cost_usd(list(self.said)),
        )
