"""Models that people use: prices, limits, abilities, and what a call cost.

    from emafusion.catalog import Catalog, cost_usd

    model = Catalog.load().find("gpt-5-mini")

Figures are data (`models.json`), each with its date; what is not known is None, never a guess.
"""

from emafusion.catalog.catalog import Catalog
from emafusion.catalog.cost import cost_usd, expected_cost_usd
from emafusion.catalog.entry import Card, Entry
from emafusion.catalog.merge import merge
from emafusion.catalog.pricing import Tier, TieredPrice, price_at

__all__ = [
    "Card",
    "Catalog",
    "Entry",
    "Tier",
    "TieredPrice",
    "cost_usd",
    "expected_cost_usd",
    "merge",
    "price_at",
]
