"""The panel of model judges against its best judge and the plain mean of ranks, on recorded grades.

    python benchmarks/judging/panel.py --data DIR

Five judge models grade each answer once (the first of their repeats). Fitted on some subsets and
tested on another, on 200 labels of the subset itself, and on none; intervals are 95 % bootstraps
over queries. Points are of AUC. `alone`: each answer by itself; `beside`: beside the other answers
to its query, as `emafusion judge` does it.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import polars as pl

from emafusion.domain.features import Floats, Ints
from emafusion.judge.heads import ANY, Heads
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.judging import judge_answers, mean_rank
from emafusion.lab.reading import whole
from emafusion.lab.stakes import Spend
from emafusion.learn.panel.beside import strongest_other, with_beside
from emafusion.learn.panel.figures import auc, ece
from emafusion.learn.panel.heads import Graded, fit_heads
from emafusion.learn.panel.looks import Bools
from emafusion.learn.panel.unlabelled import fit_unlabelled
from emafusion.store.artifact import Artifact

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


def measured(five: Set, known: Bools) -> Heads:
    """The judges by the labels of some of the answers."""
    graded = five.graded
    heads = fit_heads(graded.where(known))
    if heads is None:
        raise SystemExit("too few labels")
    return with_beside(
        heads, replace(graded, right=np.where(known, graded.right, np.nan)), ids(five)
    )


def ids(held: Set) -> Ints:
    """Each answer's query, by number."""
    return np.asarray(np.unique(held.query, return_inverse=True)[1], dtype=np.int64)


def elsewhere(five: Set) -> None:
    """Fitted on one subset, tested on the other; and five folds of both."""
    print("fitted elsewhere                best judge  mean of ranks  panel  over best judge  ECE")
    for name in sorted(set(five.subset)):
        test = np.array([each == name for each in five.subset])
        heads, held = measured(five, ~test), five.take(test)
        for way, odds in both(heads, held, ANY).items():
            line(f"on {name}, {way}", held, chance_of(odds))
    names = sorted(set(five.query))
    fold = dict(zip(names, np.random.default_rng(0).integers(0, 5, len(names)), strict=True))
    place = np.array([fold[each] for each in five.query])
    parts = {way: np.zeros(len(place)) for way in ("alone", "beside")}
    for k in range(5):
        heads = measured(five, place != k)
        for name in sorted(set(five.subset)):
            rows = (place == k) & np.array([each == name for each in five.subset])
            told = both(heads, five.take(rows), heads.task_of(f"dataset/{name}"))
            for way, odds in told.items():
                parts[way][rows] = chance_of(odds)
    for way, chance in parts.items():
        line(f"both, five folds, {way}", five, chance)


def few_labels(five: Set, seed: int) -> None:
    """Labels of answers of the subset, by lot or by whole queries, with and without others."""
    print(
        "\nlabels there, and elsewhere: over best judge (least); ECE of 15 and of 10 bins (chance)"
    )
    for name in sorted(set(five.subset)):
        own = np.array([each == name for each in five.subset])
        for labels, by_query, others in (
            (200, False, True), (200, True, True), (200, False, False), (200, True, False),
            (800, False, True),
        ):  # fmt: skip
            told: dict[str, list[tuple[float, ...]]] = {"alone": [], "beside": []}
            for draw in range(DRAWS):
                known = drawn(five, own, labels, by_query=by_query, seed=seed + draw)
                heads = measured(five, known | ~own if others else known)
                rows = (own & ~known)[own]
                for way, odds in both(heads, five.take(own), f"dataset/{name}").items():
                    told[way].append(scored(five.take(own & ~known), chance_of(odds)[rows]))
            where = f"{labels} {'in whole queries' if by_query else 'by lot'}"
            where += ", and the other subset" if others else ", nothing else"
            for way, rows_ in told.items():
                gap, *errors = np.mean(rows_, axis=0).tolist()
                least = min(each[0] for each in rows_)
                one, ten, by_chance, ten_chance = errors
                print(
                    f"{name:11s} {where:40s} {way:7s} {gap:+.2f} ({least:+.2f})  "
                    f"{one:.3f} ({by_chance:.3f})  {ten:.3f} ({ten_chance:.3f})"
                )


def scored(held: Set, chance: Floats) -> tuple[float, ...]:
    """Points over the best judge, then the calibration error, and what it is by chance alone."""
    right = held.graded.right
    rng = np.random.default_rng(0)
    lucky = [(rng.random(len(chance)) < chance).astype(np.float64) for _ in range(5)]
    errors = [ece(right, chance, bins) for bins in (15, 10)]
    errors += [float(np.mean([ece(each, chance, bins) for each in lucky])) for bins in (15, 10)]
    return 100 * (auc(right, chance) - best_of(held)), *errors


def drawn(five: Set, own: Bools, labels: int, *, by_query: bool, seed: int) -> Bools:
    """Which answers of a subset have a label."""
    rng, places = np.random.default_rng(seed), np.flatnonzero(own)
    known = np.zeros(len(own), np.bool_)
    if by_query:
        names = sorted({five.query[i] for i in places.tolist()})
        chosen = set(rng.permutation(names)[: labels // 4].tolist())
        known[places] = [five.query[i] in chosen for i in places.tolist()]
    else:
        known[rng.permutation(places)[:labels]] = True
    return known


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
    ours = auc(graded.right, alone(found.heads, graded, ANY))
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
    """Fitted on one subset, a share of all dollars spent on the other, by the code that judges."""
    print("\nshare of all dollars: calls, dollars, over best judge; beside others, and alone")
    table = whole(pl.read_parquet(data / "rewardbench2.parquet"))
    said = grades(data).filter(pl.col("judge").is_in(FIVE) & (pl.col("repeat") == 0))
    said = said.select("query_id", "model", "judge", "repeat", "judge_score", "cost_usd")
    for name in ("Factuality", "Focus"):
        own = pl.col("dataset") == name
        artifact = fit(table.filter(~own), Wish(), judges=said)
        by_itself = Artifact(
            arrays={k: v for k, v in artifact.arrays.items() if not k.startswith("panel/beside/")},
            card=artifact.card,
        )
        for share in (0.1, 0.25, 0.5, 0.75, 1.0):
            shown = []
            for each in (artifact, by_itself):
                judged = judge_answers(
                    table.filter(own), each, judges=said, stake=Spend(share=share)
                )
                right = (judged.score > 0.5).astype(np.float64)
                best = max(one_auc(right, judged.value[:, k]) for k in range(len(FIVE)))
                calls = np.mean([len(names) for names in judged.asked]) / len(FIVE)
                paid = judged.cost_usd.sum() / judged.whole_usd
                shown.append(
                    f"{calls:5.0%} {paid:5.0%} {100 * (auc(right, judged.confidence) - best):+.2f}"
                )
            print(f"{name:11s} {share:5.0%}   " + "   ".join(shown))


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


def both(heads: Heads, held: Set, task: str) -> dict[str, Floats]:
    """Log-odds of each answer by itself, and beside the other answers to its query."""
    own = alone(heads, held.graded, heads.task_of(task))
    rival, count = strongest_other(own, ids(held))
    beside = heads.beside_of(task)
    pairs = zip(own.tolist(), rival.tolist(), count.tolist(), strict=True)
    return {
        "alone": own,
        "beside": np.array([beside.odds(o, [r] * (n - 1)) for o, r, n in pairs]),
    }


def alone(heads: Heads, graded: Graded, task: str) -> Floats:
    """Log-odds of each answer by its own grades alone."""
    odds = []
    for row in graded.value.tolist():
        said = {name: v for name, v in zip(graded.judges, row, strict=True) if np.isfinite(v)}
        said = {name: said[name] for name in heads.names if name in said}
        odds.append(heads.evidence(said, task, log_length=None))
    return np.array(odds)


def chance_of(odds: Floats) -> Floats:
    """Probability of log-odds."""
    return np.asarray(1.0 / (1.0 + np.exp(-odds)), dtype=np.float64)


if __name__ == "__main__":
    main()
