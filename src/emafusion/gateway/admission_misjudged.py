"""Keys whose requests take more than is estimated: their estimates are raised.

A prompt of digits has more tokens than its bytes tell, a model may think for longer than is
typical. What one request shows, the next ones of that key are held by; it fades with requests that
take less.
"""

from __future__ import annotations

from collections import OrderedDict

from msgspec import Struct
from msgspec.structs import replace

from emafusion.gateway.admission_charges import Spent
from emafusion.gateway.admission_need import Need

FADES = 0.9
"""How much of an excess is left after a request that took no more than its estimate."""

MOST_KEYS = 10_000


class Factors(Struct, frozen=True, kw_only=True):
    """By how much estimates are raised, >= 1."""

    usd: float = 1.0
    tokens: float = 1.0


EVEN = Factors()


class Misjudged:
    """Remembers by how much requests of each key passed their estimates, in this process.

    >>> seen = Misjudged()
    >>> seen.note("key_1", Need(tokens=100, usd=0.01), Spent(usd=0.02, tokens=50))
    >>> seen.raised("key_1", Need(tokens=100, usd=0.01)).usd
    0.02
    """

    def __init__(self) -> None:
        self._factors: OrderedDict[str, Factors] = OrderedDict()

    def raised(self, key_id: str, need: Need) -> Need:
        """The need, as far as this key's requests were underestimated."""
        factors = self._factors.get(key_id)
        if factors is None:
            return need
        return replace(need, usd=need.usd * factors.usd, tokens=round(need.tokens * factors.tokens))

    def note(self, key_id: str, need: Need, spent: Spent) -> None:
        """Learn from a request; `need`: as it was estimated, not raised."""
        before = self._factors.pop(key_id, EVEN)
        now = Factors(
            usd=_factor(before.usd, spent.usd, need.usd),
            tokens=_factor(before.tokens, spent.tokens, need.tokens),
        )
        if now != EVEN:  # few keys are misjudged, and only those take room
            self._factors[key_id] = now
            if len(self._factors) > MOST_KEYS:
                self._factors.popitem(last=False)


def _factor(before: float, spent: float, need: float) -> float:
    faded = 1.0 + FADES * (before - 1.0)
    seen = max(faded, spent / need if need > 0.0 else 1.0)
    return seen if seen > 1.01 else 1.0
