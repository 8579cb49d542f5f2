"""The panel of model judges against its best judge and the plain mean of ranks, on recorded grades.

    python benchmarks/judging/panel.py --data DIR

Five judge models grade each answer once (the first of their repeats). Fitted on some subsets and
tested on another, on 200 labels of the subset itself, and on none; intervals are 95 % bootstraps
over queries. Points are of AUC.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from emafusion.domain.features import Floats
from emafusion.judge.heads import ANY, Heads
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.hearing import Stake
from emafusion.lab.judging import judge_answers, mean_rank
from emafusion.lab.reading import whole
from emafusion.learn.panel.figures import auc, ece
from emafusion.learn.panel.heads import Graded, fit_heads
from emafusion.learn.panel.looks import Bools
from emafusion.learn.panel.unlabelled import fit_unlabelled

FIVE = ("claude-haiku-4.5", "claude-sonnet-4.6", "gpt-5.4", "gpt-5.4-mini", "gpt-5.4-nano")
USD_PER_MTOK = {
    "claude-haiku-4.5": (1.0, 5.0), "claude-sonnet-4.6": (3.0, 15.0), "gpt-5.4": (2.5, 15.0),
    "gpt-5.4-mini": (0.4, 1.6), "gpt-5.4-nano": (0.1, 0.4),
}  # fmt: skip
"""List prices, prompt and completion, taken for the cost of a grade."""
PROMPT_TOKENS = 650
DRAWS, REDRAWS = 20, 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Set:
    """Graded answers: which query and subset each belongs to."""

    graded: Graded
    query: list[str]
    subset: list[str]

    def take(self, rows: Bools) -> Set:
        """Some of the answers."""
        places = np.flatnonzero(rows).tolist()
        return Set(
            graded=self.graded.where(rows),
            query=[self.query[i] for i in places],
            subset=[self.subset[i] for i in places],
        )


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    five = read(args.data, FIVE)
    elsewhere(five)
    few_labels(five, args.seed)
    no_labels(args.data, five, args.seed)
    repeats(args.data, five)
    one_by_one(args.data)


def read(data: Path, judges: tuple[str, ...], *, repeat: int = 0) -> Set:
    """First grades of these judges on RewardBench 2."""
    truth = pl.read_parquet(data / "rewardbench2.parquet").select(
        "query_id", "model", "dataset", "score"
    )
    said = grades(data).filter(pl.col("judge").is_in(judges) & (pl.col("repeat") == repeat))
    wide = (
        said.pivot(on="judge", index=["query_id", "model"], values="judge_score")
        .join(truth, on=["query_id", "model"])
        .sort("query_id", "model")
    )
    subset = wide["dataset"].to_list()
    return Set(
        graded=Graded(
            judges=judges,
            value=wide.select(judges).cast(pl.Float64).to_numpy() / 10.0,
            right=wide["score"].cast(pl.Float64).to_numpy(),
            base=np.zeros(wide.height),
            log_length=np.full(wide.height, np.nan),
            tasks=[(f"dataset/{name}",) for name in subset],
        ),
        query=wide["query_id"].to_list(),
        subset=subset,
    )


def grades(data: Path) -> pl.DataFrame:
    """The judge table, each grade with a cost by list prices."""
    table = pl.read_parquet(data / "rewardbench2.judges.parquet")
    prices = [{n: float(p[k]) for n, p in USD_PER_MTOK.items()} for k in (0, 1)]
    paid, spoken = (
        pl.col("judge").replace_strict(each, default=None, return_dtype=pl.Float64)
        for each in prices
    )
    tokens = pl.col("judge_in_tokens").fill_null(PROMPT_TOKENS)
    return table.with_columns(
        cost_usd=(tokens * paid + pl.col("judge_out_tokens") * spoken) / 1e6,
        judge_score=pl.col("judge_score").cast(pl.Float64),
    )


def elsewhere(five: Set) -> None:
    """Fitted on one subset, tested on the other; and five folds of both."""
    print("fitted elsewhere               best judge  mean of ranks  panel, over best judge  ECE")
    for name in sorted(set(five.subset)):
        test = np.array([each == name for each in five.subset])
        heads = fit_heads(five.graded.where(~test))
        if heads is not None:
            held = five.take(test)
            line(f"on {name}, from the other", held, believed(heads, held.graded, ANY))
    names = sorted(set(five.query))
    fold = dict(zip(names, np.random.default_rng(0).integers(0, 5, len(names)), strict=True))
    place = np.array([fold[each] for each in five.query])
    chance = np.zeros(len(place))
    for k in range(5):
        heads = fit_heads(five.graded.where(place != k))
        if heads is not None:
            chance[place == k] = believed(heads, five.graded.where(place == k), ANY)
    line("both, five folds by query", five, chance)


def few_labels(five: Set, seed: int) -> None:
    """200 labelled answers, and 200 labelled queries, of the subset, with and without others."""
    print("\nlabels there      and elsewhere   over best judge: mean, least   ECE mean, most")
    for name in sorted(set(five.subset)):
        own = np.array([each == name for each in five.subset])
        for queries in (50, 200):
            for others in (False, True):
                gaps, errors = [], []
                for draw in range(DRAWS):
                    train, test = drawn(five, own, queries, others=others, seed=seed + draw)
                    heads = fit_heads(train.graded)
                    if heads is None:
                        continue
                    chance = believed(heads, test.graded, heads.task_of(f"dataset/{name}"))
                    gaps.append(100 * (auc(test.graded.right, chance) - best_of(test)))
                    errors.append(ece(test.graded.right, chance))
                where = "with the other" if others else "alone"
                print(
                    f"{name:12s} {queries * 4:4d} answers  {where:15s} {np.mean(gaps):+.2f}, "
                    f"{min(gaps):+.2f}{np.mean(errors):25.3f}, {max(errors):.3f}"
                )
    print(f"ECE of probabilities that are true, as many answers: {floor(five, seed):.3f}")


def drawn(five: Set, own: Bools, queries: int, *, others: bool, seed: int) -> tuple[Set, Set]:
    """Labelled answers, and the rest of the subset."""
    names = sorted({five.query[i] for i in np.flatnonzero(own).tolist()})
    chosen = set(np.random.default_rng(seed).permutation(names)[:queries].tolist())
    mine = own & np.array([each in chosen for each in five.query])
    return five.take(mine | ~own if others else mine), five.take(own & ~mine)


def no_labels(data: Path, five: Set, seed: int) -> None:
    """The panel without labels against the plain mean of ranks, also for panels drawn by lot."""
    print("\nwithout labels: points over the plain mean of ranks")
    for name in sorted(set(five.subset)):
        held = five.take(np.array([each == name for each in five.subset]))
        print(f"{name:12s} {gain_unlabelled(held):+.2f}")
    names = tuple(sorted(grades(data)["judge"].unique().to_list()))
    rng = np.random.default_rng(seed)
    gains = []
    every = read(data, names)
    for _ in range(DRAWS):
        chosen = sorted(rng.choice(len(names), int(rng.integers(3, 6)), replace=False).tolist())
        some = replace(
            every.graded,
            judges=tuple(names[k] for k in chosen),
            value=every.graded.value[:, chosen],
        )
        for name in sorted(set(every.subset)):
            rows = np.array([each == name for each in every.subset])
            rows &= np.isfinite(some.value).any(axis=1)
            gains.append(gain_unlabelled(replace(every, graded=some).take(rows)))
    print(f"3 to 5 of 22 set-ups, by lot: mean {np.mean(gains):+.2f}, least {min(gains):+.2f}")


def gain_unlabelled(held: Set) -> float:
    """Points of AUC over the plain mean of ranks."""
    graded = held.graded
    found = fit_unlabelled(graded.judges, graded.value)
    if found is None:
        return 0.0
    ours = auc(graded.right, believed(found.heads, graded, ANY))
    return 100 * (ours - auc(graded.right, mean_rank(graded.value)))


def repeats(data: Path, five: Set) -> None:
    """Eight repeats of one judge, beside one grade each of five."""
    print("\neight repeats of one judge (mean), AUC")
    truth = pl.read_parquet(data / "rewardbench2.parquet").select("query_id", "model", "score")
    for judge in FIVE:
        mine = grades(data).filter(pl.col("judge") == judge)
        first = mine.filter(pl.col("repeat") == 0).select("query_id", "model", one="judge_score")
        mean = mine.group_by("query_id", "model").agg(eight=pl.col("judge_score").mean())
        rows = first.join(mean, on=["query_id", "model"]).join(truth, on=["query_id", "model"])
        rows = rows.drop_nulls()
        right = rows["score"].cast(pl.Float64).to_numpy()
        one, eight = (auc(right, rows[name].to_numpy()) for name in ("one", "eight"))
        print(f"{judge:20s} one {one:.4f}, eight {eight:.4f}")
    print(f"{'five, mean of ranks':20s} {auc(five.graded.right, mean_rank(five.graded.value)):.4f}")


def one_by_one(data: Path) -> None:
    """Fitted on one subset, judges heard one by one on the other, by the code that is served."""
    print("\none by one, worth of an answer, judges heard, of calls, of dollars, over best judge")
    table = whole(pl.read_parquet(data / "rewardbench2.parquet"))
    said = grades(data).filter(pl.col("judge").is_in(FIVE) & (pl.col("repeat") == 0))
    said = said.select("query_id", "model", "judge", "repeat", "judge_score", "cost_usd")
    for name in ("Factuality", "Focus"):
        own = pl.col("dataset") == name
        artifact = fit(table.filter(~own), Wish(), judges=said)
        for value_usd in (1.0, 3.0, 10.0, 100.0, None):
            stake = None if value_usd is None else Stake(value_usd=value_usd)
            judged = judge_answers(table.filter(own), artifact, judges=said, stake=stake)
            right = (judged.score > 0.5).astype(np.float64)
            best = max(one_auc(right, judged.value[:, k]) for k in range(len(FIVE)))
            heard = np.mean([len(names) for names in judged.asked])
            shown = "all are heard" if value_usd is None else f"${value_usd:g}"
            print(
                f"{name:15s} {shown:>18s} {heard:13.2f} {heard / len(FIVE):15.0%} "
                f"{judged.cost_usd.sum() / judged.whole_usd:11.0%} "
                f"{100 * (auc(right, judged.confidence) - best):+.2f}"
            )


def line(name: str, held: Set, chance: Floats) -> None:
    """One row of the first table, with an interval of the gap to the best judge."""
    right = held.graded.right
    best, plain, ours = best_of(held), auc(right, mean_rank(held.graded.value)), auc(right, chance)
    low, high = gap_interval(held, chance)
    print(
        f"{name:30s} {best:10.4f} {plain:14.4f} {ours:.4f} {100 * (ours - best):+.2f} "
        f"[{low:+.2f}, {high:+.2f}] {ece(right, chance):.3f}"
    )


def gap_interval(held: Set, chance: Floats) -> tuple[float, float]:
    """95 % bootstrap over queries of the points over the judge that is best on all of them."""
    value, right = held.graded.value, held.graded.right
    k = int(np.argmax([one_auc(right, value[:, j]) for j in range(value.shape[1])]))
    names, place = np.unique(held.query, return_inverse=True)
    rows = [np.flatnonzero(place == i) for i in range(len(names))]
    rng = np.random.default_rng(0)
    gaps = []
    for _ in range(REDRAWS // 4):
        some = np.concatenate([rows[i] for i in rng.integers(0, len(names), len(names))])
        gaps.append(100 * (auc(right[some], chance[some]) - one_auc(right[some], value[some, k])))
    low, high = np.quantile(gaps, (0.025, 0.975))
    return float(low), float(high)


def best_of(held: Set) -> float:
    """AUC of the judge that is best on these answers."""
    graded = held.graded
    return max(one_auc(graded.right, graded.value[:, k]) for k in range(graded.value.shape[1]))


def one_auc(right: Floats, value: Floats) -> float:
    """AUC of one judge where it graded."""
    there = np.isfinite(value)
    return auc(right[there], value[there])


def believed(heads: Heads, graded: Graded, task: str) -> Floats:
    """Probability of each answer by the grades alone."""
    odds = []
    for row in graded.value.tolist():
        said = {name: v for name, v in zip(graded.judges, row, strict=True) if np.isfinite(v)}
        odds.append(
            heads.evidence({n: said[n] for n in heads.names if n in said}, task, log_length=None)
        )
    return np.asarray(1.0 / (1.0 + np.exp(-np.array(odds))))


def floor(five: Set, seed: int) -> float:
    """Mean ECE where every probability is true: what so many answers show by chance alone."""
    heads = fit_heads(five.graded)
    if heads is None:
        return float("nan")
    chance = believed(heads, five.graded, ANY)[: len(five.query) // 2]
    rng = np.random.default_rng(seed)
    return float(
        np.mean([ece((rng.random(len(chance)) < chance).astype(float), chance) for _ in range(50)])
    )


if __name__ == "__main__":
    main()
