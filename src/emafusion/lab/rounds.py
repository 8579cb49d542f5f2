"""Who is heard next, on which of many answers: the judge that tells most for its price."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush

from emafusion.domain.errors import BadInput
from emafusion.judge.curve import sigmoid
from emafusion.lab.bench import Bench, Cards
from emafusion.lab.stakes import Crowd, Spend, Stake, worth
from emafusion.policy.reading import Reader, raised

Place = tuple[int, int]
"""Query, and answer within it."""
Offer = tuple[float, str]
"""How much the next judge is worth, and its name."""
Key = tuple[float, float, frozenset[str], frozenset[str]]
"""Log-odds, by how much its own count, judges that may be heard and those who were."""


@dataclass(slots=True, kw_only=True, eq=False)
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
    _crowd: Crowd | None = field(default=None, init=False, repr=False)

    def run(self, queries: Sequence[Sequence[Bench]]) -> None:
        """Hear them; what is heard of one answer counts for the others of its query.

        Raises `BadInput` where a price is unknown.
        """
        places = [(q, i) for q, own in enumerate(queries) for i in range(len(own))]
        left_usd = self.stake.budget_usd(sum(self._whole_usd(queries[q][i]) for q, i in places))
        turn, heard = dict.fromkeys(places, 0), 0
        waiting = [*self._waiting(queries, places, turn)]
        heapify(waiting)
        while waiting:
            _, (q, i), when, name = heappop(waiting)
            price_usd = queries[q][i].cost_usd([name])
            if when != turn[q, i] or price_usd > left_usd:
                continue
            left_usd -= price_usd
            self.ask(queries[q][i], name)
            heard += 1
            renewed = [(q, k) for k in range(len(queries[q]))]
            if self._is_ranking and heard % len(places) == len(places) // 2:
                self._look(queries)
                renewed = places
            for place in renewed:
                turn[place] += 1
            for each in self._waiting(queries, renewed, turn):
                heappush(waiting, each)

    @property
    def _is_ranking(self) -> bool:
        """Whether answers are ranked for what may be spent on all of them."""
        return isinstance(self.stake, Spend) and self.stake.threshold is None

    def _look(self, queries: Sequence[Sequence[Bench]]) -> None:
        """See anew where the answers stand among each other."""
        odds = (bench.odds_beside(own) for own in queries for bench in own)
        self._crowd = Crowd.of(map(sigmoid, odds))
        self._gains.clear()

    def _waiting(
        self, queries: Sequence[Sequence[Bench]], places: Sequence[Place], turn: Mapping[Place, int]
    ) -> Iterator[tuple[float, Place, int, str]]:
        """The best offer for each of these answers, the highest first when sorted."""
        for q, i in places:
            offer = self._offer(queries[q][i], queries[q])
            if offer is not None:
                yield -offer[0], (q, i), turn[q, i], offer[1]

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
        chance = sigmoid(odds)
        value = -self._worth(chance)
        for share, factor in self.reader.verdicts(chance, names, asked, slope=slope):
            value += share * self._worth(raised(chance, factor))
        return value

    def _worth(self, chance: float) -> float:
        return self._crowd.worth(chance) if self._crowd else worth(chance, self.stake.threshold)
