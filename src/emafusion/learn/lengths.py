"""How long answers are: a length of each query and a line for each model, in log tokens."""

from __future__ import annotations

import numpy as np

from emafusion.domain.features import Floats

SHRINK = 20.0
"""Answers that the shared line is worth against a model's own."""


def query_lengths(tokens: Floats) -> Floats:
    """Log length of a query's answers, models' habits taken off: float64[n], NaN unknown.

    `tokens`: float64[n, m], completion tokens, NaN where unknown.
    """
    logs = np.log(np.maximum(tokens, 1.0))
    habits = np.zeros(tokens.shape[1])
    query = _mean(logs, axis=1)
    for _ in range(5):
        habits = np.nan_to_num(_mean(logs - query[:, None], axis=0))
        query = _mean(logs - habits, axis=1)
    return query


def length_habits(tokens: Floats, query: Floats) -> Floats:
    """Log tokens less what query and model explain: float64[n, m], NaN unknown.

    `query`: float64[n], as `query_lengths` gives.
    """
    left = np.log(np.maximum(tokens, 1.0)) - query[:, None]
    habits: Floats = left - _mean(left, axis=0)
    return habits


def fit_lines(tokens: Floats, predicted: Floats) -> tuple[Floats, Floats]:
    """Line of each model and the shared line.

    `predicted`: float64[n], length head on held-out rows. Returns float64[m, 3], intercept, slope,
    residual standard deviation, NaN rows for models without lengths, and float64[3].
    """
    logs = np.log(np.maximum(tokens, 1.0))
    shared = _line(logs.ravel(), np.repeat(predicted, tokens.shape[1]), None)
    lines = np.full((tokens.shape[1], 3), np.nan)
    for i in range(tokens.shape[1]):
        if (~np.isnan(logs[:, i])).sum() >= 5:
            lines[i] = _line(logs[:, i], predicted, shared)
    return lines, shared


def fit_cpu(cpu_s: Floats, prompt_tokens: Floats, completion_tokens: Floats) -> Floats:
    """CPU seconds a call, a prompt token, a completion token: float64[m, 3], NaN where unknown."""
    rates = np.full((cpu_s.shape[1], 3), np.nan)
    for i in range(cpu_s.shape[1]):
        known = ~np.isnan(cpu_s[:, i] + prompt_tokens[:, i] + completion_tokens[:, i])
        if known.sum() >= 5:
            columns = (np.ones(known.sum()), prompt_tokens[known, i], completion_tokens[known, i])
            rates[i] = non_negative(np.stack(columns, axis=1), cpu_s[known, i])
    return rates


def non_negative(rows: Floats, target: Floats) -> Floats:
    """Least squares with coefficients >= 0, by dropping the most negative one at a time."""
    width = int(rows.shape[1])
    active = list(range(width))
    whole: Floats = np.zeros(width)
    while active:
        solved = np.linalg.lstsq(rows[:, active], target, rcond=None)[0]
        found: Floats = np.asarray(solved, dtype=np.float64)
        if (found >= 0).all():
            whole[active] = found
            break
        active.pop(int(np.argmin(found)))
    return whole


def _line(logs: Floats, predicted: Floats, shared: Floats | None) -> Floats:
    """Intercept, slope, residual sd; pulled toward the shared slope."""
    known = ~np.isnan(logs)
    if known.sum() < 2:
        return np.array([0.0, 1.0, 0.8])
    x, y = predicted[known], logs[known]
    towards, n = (1.0, 1.0) if shared is None else (float(shared[1]), SHRINK)
    spread = float(((x - x.mean()) ** 2).sum())
    pull = n * max(float(predicted.var()), 1e-6)
    slope = (float(((x - x.mean()) * (y - y.mean())).sum()) + pull * towards) / (spread + pull)
    slope = min(max(slope, 0.0), 2.0)
    intercept = float(y.mean() - slope * x.mean())
    return np.array([intercept, slope, float((y - intercept - slope * x).std())])


def _mean(values: Floats, axis: int) -> Floats:
    """Mean without NaN; NaN where all are."""
    known = ~np.isnan(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
