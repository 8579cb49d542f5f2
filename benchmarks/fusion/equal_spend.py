"""Fusion against more samples of the best model, at equal spend, on recorded answers.

    python benchmarks/fusion/equal_spend.py --data DIR [--pool all ...]

The easy half of reasoning_gym_samples holds three samples of most models. One half of the prompts
is fitted on, the other replayed, all by the code that serves. Of each model a policy gets the first
sample, or, where it may ask again (`+ samples`, as `policy.samples` does), each in its turn. The
baseline asks the best model of the fitted half k times and gives the answer that most samples gave
(the first of equals); it is paid for k times. Between two settings of the dial a spend is met by
mixing them.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from emafusion.build.replaying import prepare, recipe_of
from emafusion.domain.command import Flow
from emafusion.domain.features import Floats
from emafusion.domain.model import Candidate, Objective
from emafusion.domain.outcome import Answer
from emafusion.flow.parts import Task
from emafusion.flow.route import route
from emafusion.judge.normal import normal_key
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.known import Known, known_from
from emafusion.lab.reading import whole
from emafusion.lab.replaying import Asked, stage_of
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.replay.metrics.bootstrap import intervals
from emafusion.replay.metrics.frontier import mixed_at
from emafusion.replay.records import Records, records_of
from emafusion.replay.run import Play, Run, play
from emafusion.tables.query import query_of

RIGHT = 0.99
SAMPLES = 3
POOLS = {
    "all": "^$",
    "a cheap best": "^claude-sonnet-4",
    "open models": "^claude",
    "no clear best": "^(claude-sonnet-4|llama-4)",
}
"""Name: models that are left out."""

POLICIES = ("hybrid", "fusion", "agreement", "induction", "hybrid+", "fusion+")
"""Those with a plus may ask a model again."""


def main() -> None:
    """Print a table for each pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--pool", choices=tuple(POOLS), nargs="+", default=list(POOLS))
    parser.add_argument("--policy", nargs="+", default=list(POLICIES))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for pool in args.pool:
        report(pool, halves(args.data, pool, args.seed), args.policy)


def halves(data: Path, pool: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows to fit on and rows to replay, by prompt; models of known cost, samples in order."""
    rows = pl.read_parquet(data / "reasoning_gym_samples.parquet").filter(
        (pl.col("split") == "easy") & ~pl.col("model").str.contains(POOLS[pool])
    )
    priced = rows.group_by("model").agg(pl.col("cost_usd").is_not_null().mean().alias("share"))
    names = priced.filter(pl.col("share") > RIGHT)["model"]
    rows = rows.filter(pl.col("model").is_in(names.implode())).with_columns(
        (pl.col("score") >= RIGHT).cast(pl.Float64).alias("score")
    )
    queries = rows.unique("query_id", maintain_order=True).select("query_id", "prompt")
    fold = folds_of(prompt_groups(tuple(queries["prompt"])), 2, seed=seed)
    halved = queries.with_columns(pl.Series("half", fold)).select("query_id", "half")
    joined = whole(rows).join(halved, on="query_id")
    first, second = (joined.filter(pl.col("half") == k).drop("half") for k in (0, 1))
    return first, second


def report(pool: str, tables: tuple[pl.DataFrame, pl.DataFrame], policies: list[str]) -> None:
    """Accuracy of the baseline with one to three samples, and of each policy at its spend."""
    fitted, held = tables
    known = known_from(fit(_once(fitted), Wish(name=pool)))
    best = _best(fitted)
    counts = held.filter(pl.col("model") == best).group_by("query_id").len()
    full = counts.filter(pl.col("len") == SAMPLES)["query_id"]
    held = held.filter(pl.col("query_id").is_in(full.implode()))
    records = records_of(_once(held), query_of)
    samples = [sampled(held, records, best, k=k) for k in range(1, SAMPLES + 1)]
    print(f"\n{pool}: {len(records.queries)} queries, {len(records.models)} models, best: {best}")
    for k, (score, cost) in enumerate(samples, start=1):
        print(f"{k} samples: {score.mean():.2%} at ${1000 * cost.mean():.3f} per 1,000")
    for policy in policies:
        _line(policy, (held, records), known, samples=samples)


def sampled(held: pl.DataFrame, records: Records, best: str, *, k: int) -> tuple[Floats, Floats]:
    """Score and cost of the majority of k samples of a model: float64[n] each."""
    rows = held.filter((pl.col("model") == best) & (pl.col("sample") < k)).sort("sample")
    parts = {key[0]: part for key, part in rows.partition_by("query_id", as_dict=True).items()}
    found = [_majority(parts[query.query_id]) for query in records.queries]
    return np.array([score for score, _ in found]), np.array([cost for _, cost in found])


def _majority(samples: pl.DataFrame) -> tuple[float, float]:
    keys = [None if a is None else normal_key(a) for a in samples["answer"].to_list()]
    counts = [0 if key is None else keys.count(key) for key in keys]
    place = counts.index(max(counts))
    return float(samples["score"][place]), float(samples["cost_usd"].sum())


def _once(rows: pl.DataFrame) -> pl.DataFrame:
    """The first sample of each answer."""
    return rows.sort("sample").unique(("query_id", "model"), keep="first", maintain_order=True)


def _best(rows: pl.DataFrame) -> str:
    means = _once(rows).group_by("model").agg(pl.col("score").mean()).sort("score")
    return str(means["model"][-1])


def with_samples(held: pl.DataFrame) -> pl.DataFrame:
    """The further samples of a model as entries of their own, as `policy.samples` has them."""
    again = pl.format("s{}/{}", pl.col("sample") + 1, pl.col("model"))
    name = pl.when(pl.col("sample") == 0).then(pl.col("model")).otherwise(again)
    return held.with_columns(name.alias("model"), pl.lit(0).alias("sample"))


def replayed(policy: str, records: Records, known: Known) -> tuple[Run, ...]:
    """The served flow over every query, at every setting of the dial."""
    asked = Asked(policy=policy)
    stage = stage_of(records, known.learned, asked)
    stage = replace(stage, candidates=tuple(map(_by_its_model, stage.candidates)))
    rehearsed = prepare(*recipe_of(policy), stage)
    objectives = [Objective(quality_weight=weight) for weight in asked.quality_weights]

    def flow_of(i: int, w: int) -> Flow[Answer]:
        there = records.row[i] >= 0
        pool = tuple(c for c, held in zip(stage.candidates, there, strict=True) if held)
        task = Task(query=records.queries[i], candidates=pool, objective=objectives[w])
        return route(task, rehearsed.parts)

    plan = Play(
        policy=policy,
        weights=asked.quality_weights,
        flow_of=flow_of,
        forget=rehearsed.forget,
        done=lambda _count: None,
    )
    return play(records, plan)


def _by_its_model(candidate: Candidate) -> Candidate:
    """A further sample is the same model again, so its vote counts less."""
    name = candidate.model.name.rpartition("/")[2]
    return replace(candidate, model=replace(candidate.model, name=name))


def _line(
    policy: str,
    held: tuple[pl.DataFrame, Records],
    known: Known,
    *,
    samples: list[tuple[Floats, Floats]],
) -> None:
    rows, records = held
    if policy.endswith("+"):
        records = records_of(with_samples(rows), query_of)
    runs = replayed(policy.rstrip("+"), records, known)
    costs = np.array([run.cost_usd.mean() for run in runs])
    scores = [records.score[np.arange(len(run.model)), run.model] for run in runs]
    told = []
    for score, cost in samples:
        near = mixed_at(costs, float(cost.mean()))
        if near is None:
            told.append(f"{'-':>28s}")
            continue
        low, high, part = near
        mixed = (1 - part) * scores[low] + part * scores[high]
        over = intervals((mixed - score)[:, None], seed=0)[0]
        told.append(
            "" if over is None else f"{over.mean:+8.2%} [{over.low:+.2%}, {over.high:+.2%}]"
        )
    top = max(range(len(runs)), key=lambda i: float(np.nanmean(scores[i])))
    most = f"{np.nanmean(scores[top]):.2%} at ${1000 * costs[top]:.3f}"
    print(f"{policy:10s}" + "  ".join(told) + f"   most {most}, {runs[top].calls.mean():.2f} calls")


if __name__ == "__main__":
    main()
