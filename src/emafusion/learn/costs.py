"""What recorded answers cost, so that a model without a known price has an expected cost."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats
from emafusion.learn.lengths import non_negative

FEWEST = 5
PSEUDO_TOKENS_PER_USD = 1e6
"""Where no tokens were recorded at all, a dollar counts as so many, for lengths."""


def tokens_or_costs(completion_tokens: Floats, cost_usd: Floats) -> Floats:
    """Completion tokens; costs in their stead where no answer of the table has tokens."""
    if np.isfinite(completion_tokens).any():
        return completion_tokens
    return cost_usd * PSEUDO_TOKENS_PER_USD


def fit_costs(cost_usd: Floats, prompt_tokens: Floats, expected_tokens: Floats) -> Floats:
    """US dollars a call, a prompt token and an expected completion token: float64[m, 3].

    `cost_usd`, `expected_tokens` (predicted while held out): float64[n, m]; `prompt_tokens`:
    float64[n], as features count them. NaN for models with fewer than five costs. Scaled so that
    expected costs sum to recorded ones.

    >>> prompt, tokens = np.arange(1.0, 11.0) ** 2, np.arange(1.0, 11.0)[:, None]
    >>> fit_costs(0.5 * prompt[:, None] + 2 * tokens, prompt, tokens).round(3).tolist()
    [[0.0, 0.5, 2.0]]
    """
    rates = np.full((cost_usd.shape[1], 3), np.nan)
    for model in range(cost_usd.shape[1]):
        known = np.isfinite(cost_usd[:, model] + expected_tokens[:, model])
        if known.sum() < FEWEST:
            continue
        actual = cost_usd[known, model]
        rows = np.stack(
            (np.ones(len(actual)), prompt_tokens[known], expected_tokens[known, model]), axis=1
        )
        unit = np.maximum(rows.mean(axis=0), 1e-12)
        found = non_negative(rows / unit, actual / max(actual.mean(), 1e-30)) / unit
        predicted = rows @ found
        scale = actual.sum() / predicted.sum() if predicted.sum() > 0 else 0.0
        rates[model] = found * scale
    return rates
