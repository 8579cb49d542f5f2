"""Who is heard next, on which of many answers: the judge that tells most for its price."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from emafusion.domain.errors import BadInput
from emafusion.judge.curve import sigmoid
from emafusion.lab.bench import Bench, Cards
from emafusion.lab.stakes import Spend, Stake, worth
from emafusion.policy.reading import Reader, raised

Offer = tuple[float, str]
"""How much the next judge is worth, and its name."""
Key = tuple[float, float, frozenset[str], frozenset[str]]
"""Log-odds, by how much its own count, judges that may be heard and those who were."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rounds:
    """Hears judges on answers, the best offer first, until none pays or the money is spent.

    `measured`: judges of which it is known how they err together; of others one of a family is
    heard at most. `ask`: hears one judge on an answer.
    """

    stake: Stake | Spend
    reader: Reader
    measured: frozenset[str]
    ask: Callable[[Bench, str], None]
    _gains: dict[Key, float] = field(default_factory=dict[Key, float], init=False, repr=False)

    def run(self, queries: Sequence[Sequence[Bench]]) -> None:
        """Hear them; what is heard of one answer counts for the others of its query.

        Raises `BadInput` where a price is unknown.
        """
        places = [(q, i) for q, own in enumerate(queries) for i in range(len(own))]
        left_usd = self.stake.budget_usd(sum(self._whole_usd(queries[q][i]) for q, i in places))
        turn = dict.fromkeys(places, 0)
        offers = [
            (-offer[0], place, 0, offer[1])
            for place in places
            if (offer := self._offer(queries[place[0]][place[1]], queries[place[0]]))
        ]
        heapify(offers)
        while offers:
            _, (q, i), when, name = heappop(offers)
            price_usd = queries[q][i].cost_usd([name])
            if when != turn[q, i] or price_usd > left_usd:
                continue
            left_usd -= price_usd
            self.ask(queries[q][i], name)
            for k, bench in enumerate(queries[q]):
                turn[q, k] += 1
                offer = self._offer(bench, queries[q])
                if offer is not None:
                    heappush(offers, (-offer[0], (q, k), turn[q, k], offer[1]))

    def _whole_usd(self, bench: Bench) -> float:
        if any(card.cost_usd is None for card in bench.cards):
            raise BadInput("has grades without cost_usd", where="judge table")
        return bench.cost_usd(list(bench.said))

    def _offer(self, bench: Bench, others: Sequence[Bench]) -> Offer | None:
        """The best of: one judge more, or several, the cheapest of which is heard first."""
        left = self._left(bench)
        odds, slope = bench.odds_beside(others), bench.slope(others)
        asked = frozenset(bench.asked)
        best: Offer | None = None
        for cards in [*((card,) for card in left), *(left[:n] for n in range(2, len(left) + 1))]:
            key = (round(odds, 2), slope, frozenset([card.name for card in cards]), asked)
            gain = self._gains.get(key)
            if gain is None:
                gain = self._gains[key] = self._gain(key)
            rank = self.stake.rank(gain, sum([card.cost_usd or 0.0 for card in cards]))
            if rank > (best[0] if best else 0.0):
                best = (rank, cards[0].name)
        return best

    def _left(self, bench: Bench) -> Cards:
        """Judges that may yet be heard, the cheapest first."""
        heard = [card for card in bench.cards if card.name in bench.asked]
        families = {card.kindred for card in heard if card.name not in self.measured}
        left = [
            card
            for card in bench.cards
            if card not in heard and (card.name in self.measured or card.kindred not in families)
        ]
        return tuple(sorted(left, key=lambda card: (card.cost_usd or 0.0, card.name)))

    def _gain(self, key: Key) -> float:
        """By how much these judges are expected to raise what the answer is worth."""
        odds, slope, names, asked = key
        chance, level = sigmoid(odds), self.stake.threshold
        value = -worth(chance, level)
        for share, factor in self.reader.verdicts(chance, names, asked, slope=slope):
            value += share * worth(raised(chance, factor), level)
        return value
