"""What each part is worth: the same queries replayed with parts left out.

Usage: python benchmarks/replay/ablations.py TABLE.parquet [--queries 4000] [--labels] [--seed 1]

Queries are split by prompt: everything is fitted on one half and replayed on the other. Points are
percentage points of accuracy over the best single model of the fitted half, whose cost is B, with a
paired bootstrap interval of 95 %. `equal` is the share of B at which that model's accuracy is
reached. With --labels, the fit is repeated with fewer labelled queries, and with none.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from emafusion.build.replaying import POLICIES, Recipe
from emafusion.domain.features import Ints
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.known import Known, fitted_baselines, known_from
from emafusion.lab.labels import Labels
from emafusion.lab.reading import read_table
from emafusion.lab.replaying import Asked, replay_known, summary_of
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.replay.metrics.bootstrap import Interval
from emafusion.replay.records import Records, records_of
from emafusion.replay.summary import Summary
from emafusion.tables.query import query_of

DIAL = (0.5, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 0.99, 1.0)
HYBRID = POLICIES["hybrid"]
RECIPES: dict[str, Recipe] = {
    "taxonomy view alone": POLICIES["taxonomy"],
    "learned view alone": POLICIES["learned"],
    "both views (router)": POLICIES["router"],
    "cascade alone": POLICIES["cascade"],
    "hybrid: router and cascade": HYBRID,
    "hybrid, two answers at most": replace(HYBRID, looks=2),
    "hybrid, nobody reads": replace(HYBRID, judged=False),
    "hybrid, plain mean of judges": replace(HYBRID, mean=True),
    "paper: our reading of EMAFusion": POLICIES["paper"],
}
LABELS: tuple[Labels, ...] = ("none", 50, 200, 1000, "all")


def main() -> None:
    """Fit, replay each recipe, print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--queries", type=int, default=4000)
    parser.add_argument("--labels", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    train, test = _halves(read_table([asked.table]), asked.queries, seed=asked.seed)
    records = records_of(test, query_of)
    told = f"{len(records.queries):,} queries, {len(records.models)} models"
    print(f"{asked.table.stem}: {told}; fitted on {train['query_id'].n_unique():,}")
    print(f"{'':36s} {'at B':>22s} {'at B/4':>22s} {'at B/8':>22s} equal   calls  ECE")
    known = known_from(fit(train))
    fitted = fitted_baselines(records, known)  # B is the same in every row
    for name, recipe in RECIPES.items():
        print(_row(name, _replayed(records, known, recipe, fitted=fitted)), flush=True)
    alone = _replayed(records, _without_votes(known), HYBRID, fitted=fitted)
    print(_row("hybrid, equal answers do not count", alone), flush=True)
    if asked.labels:
        for labels in LABELS:
            fewer = known_from(fit(train, Wish(labels=labels, seed=asked.seed)))
            name = f"hybrid, labels: {labels}"
            print(_row(name, _replayed(records, fewer, HYBRID, fitted=fitted)), flush=True)


def _halves(frame: pl.DataFrame, queries: int, *, seed: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Queries drawn by chance, in two halves that share no prompt."""
    whole = frame.unique("query_id", maintain_order=True).select("query_id", "prompt")
    drawn = whole.sample(min(queries, whole.height), seed=seed, shuffle=True)
    groups = prompt_groups(drawn["prompt"].fill_null("").to_list())
    folds = pl.Series(folds_of(groups, 2, seed=seed))
    ids = [drawn.filter(folds == part)["query_id"] for part in (0, 1)]
    first, second = (frame.filter(pl.col("query_id").is_in(part.implode())) for part in ids)
    return first, second


def _replayed(
    records: Records, known: Known, recipe: Recipe, *, fitted: Mapping[str, Ints]
) -> Summary:
    asked = Asked(policy="hybrid", quality_weights=DIAL, recipe=recipe)
    return summary_of(replace(replay_known(records, known, asked), fitted=fitted))


def _without_votes(known: Known) -> Known:
    """The panel without what equal and rival answers tell."""
    panel = known.learned.panel
    forms = {
        form: replace(state, agree=0.0, peer=0.0, oppose=0.0) for form, state in panel.forms.items()
    }
    return replace(known, learned=replace(known.learned, panel=replace(panel, forms=forms)))


def _row(name: str, summary: Summary) -> str:
    return f"{name:36s} " + " ".join(_cells(summary))


def _cells(summary: Summary) -> Iterator[str]:
    for budget in summary.budgets:
        yield f"{_points(budget.over_best):>22s}"
    share, last = summary.equal_share, summary.points[-2]
    yield f"{'-' if share is None else f'B/{1 / share:.1f}':7s}"
    yield f"{last.calls:5.2f}"
    yield "  -" if last.calibration_error is None else f"{last.calibration_error:.3f}"


def _points(gap: Interval | None) -> str:
    if gap is None:
        return "-"
    return f"{100 * gap.mean:+.2f} ({100 * gap.low:+.1f} to {100 * gap.high:+.1f})"


if __name__ == "__main__":
    main()
