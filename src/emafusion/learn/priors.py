"""The prior of models never seen, fitted on recorded ones: price, size and family.

Prices come from the rows themselves: cost = prompt price x prompt tokens + completion price x
completion tokens. Sizes come from the names that state them and from a short table.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from emafusion.domain.features import Floats
from emafusion.estimate.prior import PROMPT_SHARE, SMALLEST_USD, PriorState
from emafusion.learn.lengths import non_negative

_EXPERTS = re.compile(r"(\d+)x(\d+(?:\.\d+)?)b(?=-|$)")
_BILLIONS = re.compile(r"(?<![\dx.])(\d+(?:[.-]\d+)?)b(?=-|$)")
_MILLIONS = re.compile(r"(\d+)m(?=-|$)")
_SIZES: Mapping[str, float] = {
    "deepseek-v2": 236.0,
    "deepseek-coder-v2": 236.0,
    "deepseek-r1": 671.0,
    "mistral-large": 123.0,
    "phi-3-mini": 3.8,
    "phi-3-5-mini": 3.8,
    "command-r-plus": 104.0,
    "command-r": 35.0,
    "c4ai-command-r": 35.0,
    "jamba-1-5-large": 398.0,
    "mistral-nemo": 12.0,
    "llama-4-scout": 109.0,
    "llama-4-maverick": 400.0,
}
"""Published sizes of models whose names do not state them, billions of parameters."""

FAMILIES = (
    "gpt", "o1", "o3", "claude", "gemini", "gemma", "llama", "qwen", "qwq", "mistral", "mixtral",
    "deepseek", "phi", "command", "yi", "reka", "grok", "smollm2",
)  # fmt: skip
OFFSET_SHRINK = 3.0
"""Models that a family needs before half of its mean residual is believed."""

RIDGE = 0.3
FOR_A_NEW_MODEL = 1.15
"""Residuals of fitted models are a little smaller than errors on new ones."""


def size_of(name: str) -> float | None:
    """Billions of parameters by a canonical name; None if it does not tell.

    >>> size_of("mixtral-8x7b-instruct"), size_of("smollm2-135m"), size_of("gpt-4o")
    (56.0, 0.135, None)
    """
    if found := _EXPERTS.search(name):
        return float(found[1]) * float(found[2])
    if found := _BILLIONS.search(name):
        return float(found[1].replace("-", "."))
    if found := _MILLIONS.search(name):
        return float(found[1]) / 1000
    known = [prefix for prefix in _SIZES if name.startswith(prefix)]
    return _SIZES[max(known, key=len)] if known else None


def prices_of(cost_usd: Floats, prompt_tokens: Floats, completion_tokens: Floats) -> Floats:
    """Blended US dollars per million tokens of each model: float64[m], NaN where unknown."""
    prices = np.full(cost_usd.shape[1], np.nan)
    for i in range(cost_usd.shape[1]):
        known = ~np.isnan(cost_usd[:, i] + prompt_tokens[:, i] + completion_tokens[:, i])
        if known.sum() >= 20:
            rows = np.stack((prompt_tokens[known, i], completion_tokens[known, i]), axis=1)
            by_token = non_negative(rows, 1e6 * cost_usd[known, i])
            blended = PROMPT_SHARE * by_token[0] + (1 - PROMPT_SHARE) * by_token[1]
            prices[i] = blended if blended > 0 else np.nan
    return prices


def fit_prior(models: Sequence[str], ability: Floats, prices: Floats) -> PriorState:
    """Fit the lines, their spread and the families' offsets.

    `ability`, `prices`: float64[m]; slopes are held to be >= 0: dearer or larger is never worse.
    """
    sizes = np.array([_or_nan(size_of(name)) for name in models])
    columns = np.stack((np.ones(len(models)), np.log10(np.maximum(prices, SMALLEST_USD)),
                        np.log10(sizes)), axis=1)  # fmt: skip
    stated = PriorState.stated()
    lines, sds = stated.lines.copy(), stated.sds.copy()
    for row in range(4):
        used = [0, *([1] if row >= 2 else []), *([2] if row % 2 else [])]
        known = ~np.isnan(columns[:, used]).any(axis=1)
        if known.sum() >= 8:
            lines[row], sds[row] = _line(columns[known], ability[known], used)
    left = _residuals(columns, ability, lines)
    offsets = [_offset(models, left, family) for family in FAMILIES]
    return PriorState(lines=lines, sds=sds, families=FAMILIES, offsets=tuple(offsets))


def _line(columns: Floats, ability: Floats, used: list[int]) -> tuple[Floats, float]:
    """One line over the used columns, slopes >= 0, and the spread around it."""
    slopes = [i for i in used if i > 0]
    rows = columns[:, slopes] - columns[:, slopes].mean(axis=0) if slopes else columns[:, :0]
    padded = np.vstack((rows, RIDGE * np.eye(len(slopes))))
    target = np.concatenate((ability - ability.mean(), np.zeros(len(slopes))))
    found = np.zeros(3)
    if slopes:
        found[slopes] = non_negative(padded, target)
    found[0] = ability.mean() - found[1:] @ np.nan_to_num(columns[:, 1:]).mean(axis=0)
    left = ability - np.nan_to_num(columns) @ found
    return found, FOR_A_NEW_MODEL * float(left.std())


def _residuals(columns: Floats, ability: Floats, lines: Floats) -> Floats:
    """What the line that fits each model's known facts leaves open: float64[m]."""
    known = ~np.isnan(columns[:, 1:])
    row = 2 * known[:, 0] + known[:, 1]
    left: Floats = ability - (lines[row] * np.nan_to_num(columns)).sum(axis=1)
    return left


def _offset(models: Sequence[str], left: Floats, family: str) -> float:
    """Shrunk mean residual of a family."""
    own = left[[i for i, name in enumerate(models) if name.startswith(family)]]
    return float(own.sum() / (len(own) + OFFSET_SHRINK))


def _or_nan(value: float | None) -> float:
    """NaN for None."""
    return float("nan") if value is None else value
