"""What the learned router is worth on queries that it did not see: accuracy at equal money.

Usage: python benchmarks/learning/router.py TABLE.parquet [--queries 3000] [--family]

TABLE has the outcome table's columns. Queries are split by prompt (with --family: by data set, so
that the router meets work of a kind it never saw); the router is fitted on one part and chooses one
model for each query of the other. Its classes, too, are learned without the other part. B is what
the best single model (on the fitted part) costs. Points are percentage points of accuracy over it,
with a paired bootstrap interval of 95 %.
"""

from __future__ import annotations

import argparse

import numpy as np
import numpy.typing as npt
import polars as pl

from emafusion.domain.model import Candidate, Model
from emafusion.encode.encoder import HashEncoder
from emafusion.estimate.estimator import HybridEstimator
from emafusion.learn.classifier import fit_classifier
from emafusion.learn.examples import as_arrays, from_benchmark, from_seeds
from emafusion.learn.fit import encode_prompts, fit_router
from emafusion.learn.groups import family_groups, folds_of, prompt_groups
from emafusion.learn.outcomes import OutcomeTable, from_frame
from emafusion.learn.seed_prompts import seed_prompts

Floats = npt.NDArray[np.float64]
SEEDS = 2400


def main() -> None:
    """Fit on one part, choose on the other, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table")
    parser.add_argument("--queries", type=int, default=3000)
    parser.add_argument("--family", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    table = _read(asked.table, asked.queries, seed=asked.seed)
    groups = family_groups(table.datasets) if asked.family else prompt_groups(table.prompts)
    here = folds_of(groups, 3, seed=asked.seed) == 0
    rest, test = table.take(~here), table.take(here)
    quality = _predicted(rest, test)
    cost = np.broadcast_to(np.nanmean(rest.cost_usd, axis=0), test.score.shape)
    _report(test, quality, cost, best=int(np.nanmean(rest.score, axis=0).argmax()))


def _read(path: str, queries: int, *, seed: int) -> OutcomeTable:
    """Queries drawn by chance, models that have prices and nearly all answers."""
    frame = pl.read_parquet(path)
    priced = (
        frame.group_by("model")
        .agg(pl.col("cost_usd").is_not_null().mean().alias("priced"), pl.len().alias("rows"))
        .filter((pl.col("priced") > 0.95) & (pl.col("rows") > 0.9 * frame["query_id"].n_unique()))
    )
    frame = frame.filter(pl.col("model").is_in(priced["model"].implode()))
    ids = frame["query_id"].unique().sort().sample(fraction=1.0, seed=seed, shuffle=True)
    frame = frame.filter(pl.col("query_id").is_in(ids.head(queries).implode()))
    return from_frame(frame)


def _predicted(rest: OutcomeTable, test: OutcomeTable) -> Floats:
    """Predicted quality of each model on each test query: float64[n, m]."""
    encoder = _encoder(rest)
    state = fit_router(rest, encode_prompts(encoder, rest.prompts)).state
    pool = tuple(
        Candidate(name=n, model=Model(name=n, provider="p"), deployment="d", remote_name=n)
        for n in test.models
    )
    estimator = HybridEstimator(state, lambda _usage, _price: None)
    estimates = estimator.estimate_many(encode_prompts(encoder, test.prompts), pool)
    return np.array([e.quality for e in estimates])


def _encoder(rest: OutcomeTable) -> HashEncoder:
    """An encoder whose classes were learned without the test queries, unlike the shipped one."""
    lengths = np.nan_to_num(np.nanmean(rest.completion_tokens, axis=1))
    examples = (
        *from_seeds(seed_prompts(SEEDS)),
        *from_benchmark(rest.prompts, rest.datasets, lengths),
    )
    groups = prompt_groups([example.query.prompt for example in examples])
    return HashEncoder(fit_classifier(as_arrays(examples), folds_of(groups, 3)).state)


def _report(test: OutcomeTable, quality: Floats, cost: Floats, *, best: int) -> None:
    score = np.nan_to_num(test.score)
    budget = float(cost[:, best].mean())
    cheapest = int(cost.mean(axis=0).argmin())
    print(f"{len(score)} queries, {score.shape[1]} models; best single {test.models[best]}")
    print(f"best single      {score[:, best].mean():.4f} at ${1e3 * budget:.3f} per 1,000")
    share = float(cost[:, cheapest].mean()) / budget
    print(f"always cheapest  {score[:, cheapest].mean():.4f} at B x {share:.3f}")
    for part in (1.0, 0.25):
        chosen = _at(quality, cost, budget * part)
        gain = score[np.arange(len(score)), chosen] - score[:, best]
        low, high = _interval(gain)
        mix = _mix(score, cost, budget * part)
        over = 100 * (mix - score[:, best].mean())
        told = f"{100 * gain.mean():+.2f} points ({low:+.2f} to {high:+.2f})"
        print(f"router at B x {part:<4g} {told}; random mix at equal cost {over:+.2f}")
    equal = _equal(score, quality, cost, best=best)
    print(f"best single's accuracy at {f'B / {1 / equal:.1f}' if equal else 'no cost tried'}")


def _at(quality: Floats, cost: Floats, budget: float) -> npt.NDArray[np.int64]:
    """The choice by quality less lambda x cost, with the smallest lambda that keeps the budget."""
    rows = np.arange(len(quality))
    for lam in (0.0, *np.geomspace(1e-2, 1e7, 200)):
        chosen = (quality - lam * cost).argmax(axis=1)
        if cost[rows, chosen].mean() <= budget:
            return chosen
    return cost.argmin(axis=1)


def _equal(score: Floats, quality: Floats, cost: Floats, *, best: int) -> float | None:
    """The smallest share of B at which the router is as accurate as the best single model."""
    rows, budget = np.arange(len(score)), float(cost[:, best].mean())
    for part in np.geomspace(0.01, 1.0, 80):
        chosen = _at(quality, cost, budget * part)
        if score[rows, chosen].mean() >= score[:, best].mean():
            return float(part)
    return None


def _mix(score: Floats, cost: Floats, budget: float) -> float:
    """Accuracy of the best random mix of two models at this mean cost."""
    accuracy, price = score.mean(axis=0), cost.mean(axis=0)
    found = [float(accuracy[k]) for k in range(len(price)) if price[k] <= budget]
    for a in range(len(price)):
        for b in range(len(price)):
            if price[a] <= budget < price[b]:
                share = (budget - price[a]) / (price[b] - price[a])
                found.append(float((1 - share) * accuracy[a] + share * accuracy[b]))
    return max(found, default=float("nan"))  # no model is that cheap


def _interval(gain: Floats) -> tuple[float, float]:
    """95 % bootstrap interval of the mean, in points."""
    rng = np.random.default_rng(0)
    means = [gain[rng.integers(0, len(gain), len(gain))].mean() for _ in range(1000)]
    low, high = np.quantile(means, (0.025, 0.975))
    return 100 * float(low), 100 * float(high)


if __name__ == "__main__":
    main()
