"""What a conversation gains by staying with a model whose provider still has it in its cache.

Of a prompt's tokens those that are expected in the cache cost `cached_prompt` and not `prompt`. So
whoever changes the model pays the whole prompt anew: the switch is priced, and nobody is bound.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from emafusion.domain.features import Estimates
from emafusion.domain.model import Candidate, Price

HIT = 0.9
"""Share of the tokens that a warm cache is expected to serve. Stated."""


def warmed(
    estimates: Estimates,
    candidates: tuple[Candidate, ...],
    warm: Mapping[str, int],
    *,
    prompt_tokens: int,
) -> Estimates:
    """Estimates with the costs of those that have the conversation in their cache.

    `warm`: tokens by candidate; `prompt_tokens`: of this query. An unknown cost stays unknown.
    """
    costs = estimates.cost_usd.copy()
    for k, candidate in enumerate(candidates):
        tokens = min(warm.get(candidate.name, 0), prompt_tokens)
        saved = saved_usd(candidate.model.price, tokens)
        if saved > 0.0:
            costs[k] = max(costs[k] - saved, 0.0) if costs[k] == costs[k] else costs[k]
    return replace(estimates, cost_usd=costs)


def saved_usd(price: Price | None, tokens: int) -> float:
    """What so many tokens in the cache are expected to save; 0 where the price is not known.

    >>> price = Price(prompt_usd_per_mtok=2.0, cached_prompt_usd_per_mtok=0.2)
    >>> round(saved_usd(price, 10_000), 6)
    0.0162
    """
    if price is None or price.prompt_usd_per_mtok is None:
        return 0.0
    if price.cached_prompt_usd_per_mtok is None:
        return 0.0
    less = price.prompt_usd_per_mtok - price.cached_prompt_usd_per_mtok
    return max(HIT * tokens * less / 1e6, 0.0)
