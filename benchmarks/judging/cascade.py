"""Accuracy at equal cost: a router alone against reading the answers, on recorded answers.

    python benchmarks/judging/cascade.py --data DIR [--table mmlu_pro ...]

One half of the prompts is fitted on, the other replayed, all by the code that serves. Judging by
rules, log-probabilities and agreement is free, so all cost is that of the calls.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import polars as pl

from emafusion.lab.fitting import Wish, fit
from emafusion.lab.known import known_from
from emafusion.lab.reading import whole
from emafusion.lab.replaying import Asked, replay_known, summary_of
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.replay.records import records_of
from emafusion.replay.summary import Budget, Summary
from emafusion.tables.query import query_of

ONE_HOST = "405B-Inst@(together|sambanova)|405B-Inst-fp8|gemini-1.5-flash-exp-0827"
TABLES = {
    "mmlu_pro": ("mmlu_pro", "", "^$"),
    "reasoning_gym": ("reasoning_gym", "", "^$"),
    "zeroeval gsm": ("zeroeval", "gsm", f"^o1|{ONE_HOST}"),
    "zeroeval crux": ("zeroeval", "crux", f"^o1|{ONE_HOST}"),
    "bfcl": ("bfcl", "", "^$"),
}
"""Name: file, data sets, models that are left out (incomplete, or cost known in part only)."""

POLICIES = ("router", "hybrid", "cascade", "paper")
RIGHT = 0.99


def main() -> None:
    """Print a table for each pool."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--table", choices=tuple(TABLES), nargs="+", default=list(TABLES))
    parser.add_argument("--policy", nargs="+", default=list(POLICIES))
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    for name in args.table:
        report(name, halves(args.data, name, args.seed), args.policy)


def halves(data: Path, name: str, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The rows to fit on and the rows to replay: no prompt is in both, near copies neither."""
    file, datasets, without = TABLES[name]
    rows = pl.read_parquet(data / f"{file}.parquet").filter(
        pl.col("dataset").str.contains(datasets) & ~pl.col("model").str.contains(without)
    )
    priced = rows.group_by("model").agg(pl.col("cost_usd").is_not_null().mean())
    kept = priced.filter(pl.col("cost_usd") > RIGHT)["model"]
    rows = rows.filter(pl.col("model").is_in(kept.implode())).with_columns(
        (pl.col("score") >= RIGHT).cast(pl.Float64).alias("score")
    )
    queries = rows.unique("query_id", maintain_order=True).select("query_id", "prompt")
    fold = folds_of(prompt_groups(tuple(queries["prompt"])), 2, seed=seed)
    halved = queries.with_columns(pl.Series("half", fold)).select("query_id", "half")
    joined = whole(rows).join(halved, on="query_id")
    first, second = (joined.filter(pl.col("half") == k).drop("half") for k in (0, 1))
    return first, second


def report(name: str, tables: tuple[pl.DataFrame, pl.DataFrame], policies: list[str]) -> None:
    """Points over the best single model at shares of its cost, with intervals, by policy."""
    started = time.process_time()
    known = known_from(fit(tables[0], Wish(name=name)))
    took_s = time.process_time() - started
    for policy in policies:
        records = records_of(tables[1], query_of)
        started = time.process_time()
        replayed = replay_known(records, known, Asked(policy=policy))
        rate = len(replayed.runs) * len(records.queries) / (time.process_time() - started)
        summary = summary_of(replayed)
        if policy == policies[0]:
            _head(name, summary, took_s)
        _line(policy, summary, rate)


def _head(name: str, summary: Summary, took_s: float) -> None:
    best = summary.baselines[0]
    print(f"\n{name}: {summary.queries} queries, {summary.models} models; fit in {took_s:.0f} s")
    print(f"{best.role}: {best.name}, {best.accuracy:.2%} at ${1000 * (best.cost_usd or 0):.3f}")
    print("policy   " + "".join(f"{f'{b.share:g} B':>24s}" for b in summary.budgets[::-1]))
    mixes = (_points(b.mix, best.accuracy) for b in summary.budgets[::-1])
    print("mix      " + "".join(f"{mix:>24s}" for mix in mixes))


def _line(policy: str, summary: Summary, rate: float) -> None:
    top = summary.points[-1]
    error = max(point.calibration_error or 0.0 for point in summary.points[-5:])
    print(
        f"{policy:9s}"
        + "".join(f"{_budget(budget):>24s}" for budget in summary.budgets[::-1])
        + f"   equal at {summary.equal_share or float('nan'):.3f} B, {top.calls:.2f} calls at the"
        f" top, calibration error {error:.3f}, {rate:,.0f} queries/s"
    )


def _budget(budget: Budget) -> str:
    over = budget.over_best
    if over is None:
        return "-"
    return f"{100 * over.mean:+.2f} [{100 * over.low:+.2f}, {100 * over.high:+.2f}]"


def _points(accuracy: float | None, best: float | None) -> str:
    return "-" if accuracy is None or best is None else f"{100 * (accuracy - best):+.2f}"


if __name__ == "__main__":
    main()
