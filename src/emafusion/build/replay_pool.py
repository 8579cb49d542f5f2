"""The pool of a replay: the models of an outcome table, with what is known of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from emafusion.build.opening import today_catalog
from emafusion.catalog import Catalog, cost_usd
from emafusion.domain.attempt import Usage
from emafusion.domain.features import Floats
from emafusion.domain.model import Ability, Candidate, Model, Price
from emafusion.estimate.names import canonical
from emafusion.replay.records import Records

ANSWERED: frozenset[Ability] = frozenset({"tools", "json_object", "json_schema", "images", "n"})
"""What a model whose answers were recorded could evidently do, as far as it was asked."""

DEPLOYMENT = "recorded"


@dataclass(frozen=True, slots=True, kw_only=True)
class Priced:
    """Where expected costs come from.

    `prices`: stated after the fact; `learned`: canonical names of the models whose costs the
    artifact knows from recorded ones.
    """

    prices: Mapping[str, Price] = field(default_factory=dict[str, Price])
    learned: frozenset[str] = frozenset()


def pool_of(records: Records, priced: Priced) -> tuple[Candidate, ...]:
    """A candidate for each model of the table, in its order."""
    catalog = today_catalog()
    return tuple(
        _candidate(name, catalog, priced, has_logprobs=name in records.with_logprobs)
        for name in records.models
    )


def _candidate(name: str, catalog: Catalog, priced: Priced, *, has_logprobs: bool) -> Candidate:
    known = catalog.find(name)
    seen: frozenset[Ability] = frozenset({"logprobs"}) if has_logprobs else frozenset()
    thinks = frozenset[Ability]() if known is None else known.abilities & {"reasoning"}
    price = priced.prices.get(name)
    if price is None and canonical(name) not in priced.learned:
        price = None if known is None else known.price
    return Candidate(
        name=name,
        model=Model(
            name=name,
            provider=DEPLOYMENT if known is None else known.provider,
            family=None if known is None else known.family,
            price=price,
            abilities=ANSWERED | seen | thinks,
            size_b=None if known is None else known.size_b,
        ),
        deployment=DEPLOYMENT,
        remote_name=name,
    )


def repriced(records: Records, prices: Mapping[str, Price]) -> Floats:
    """Recorded costs at other prices: float64[n, m]; NaN where the tokens are unknown.

    Models without a stated price keep what was recorded.
    """
    costs = records.cost_usd.copy()
    for k, name in enumerate(records.models):
        if name in prices:
            pairs = zip(records.prompt_tokens[:, k], records.completion_tokens[:, k], strict=True)
            costs[:, k] = [_cost(float(p), float(c), prices[name]) for p, c in pairs]
    return costs


def _cost(prompt: float, completion: float, price: Price) -> float:
    if np.isnan(prompt) or np.isnan(completion):
        return float("nan")
    usage = Usage(prompt_tokens=int(prompt), completion_tokens=int(completion))
    usd = cost_usd(usage, price)
    return float("nan") if usd is None else usd
