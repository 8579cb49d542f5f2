"""How often `certify` breaks its promise, over 1,000 random sets of labelled queries a table.

    python benchmarks/guarantee/violations.py TABLE.parquet... [--draws 1000] [--queries 300]

Half of a table's prompts (2,000 queries at most) is fitted on, the other half (4,000 at most) is
replayed by the code that serves, at every setting of the dial. That half is the whole world then:
what each setting keeps of the reference's quality there is the truth. Each draw takes so many of
its queries at random, with replacement, and certifies on them. A promise is broken where the
setting that was certified keeps less than was promised. Two promises are tried: 95 % of the
reference, and the hardest one to keep, a hair more than a setting from the middle of the dial
keeps. `best looking` is what happens without the test: the cheapest setting that keeps the share
on the drawn queries.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import polars as pl

from emafusion.domain.features import Floats
from emafusion.lab.certifying import reference_of, scores_of
from emafusion.lab.fitting import Wish, fit
from emafusion.lab.reading import read_table
from emafusion.lab.replaying import Asked, replay
from emafusion.learn.groups import folds_of, prompt_groups
from emafusion.replay.guarantee.promise import Setting, cheapest_kept

SHARE, DELTA, HAIR = 0.95, 0.05, 5e-4
MOST_FITTED, MOST_REPLAYED = 2_000, 4_000


class World(NamedTuple):
    """All queries there are: scores of the reference, float64[n], and of each setting."""

    reference: Floats
    settings: list[Setting]

    def kept(self, setting: Setting) -> float:
        """What a setting truly keeps of the reference's quality."""
        return float(setting.score.sum() / self.reference.sum())

    def drawn(self, rows: Sequence[int]) -> World:
        """Some of the queries."""
        settings = [Setting(each.quality_weight, each.score[rows]) for each in self.settings]
        return World(self.reference[rows], settings)


class Count(NamedTuple):
    """Shares of all draws: in which something was certified, broken; broken without the test."""

    certified: float
    broken: float
    looking: float


def main() -> None:
    """Print a row for each table and promise."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("tables", type=Path, nargs="+")
    parser.add_argument("--draws", type=int, default=1000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    bar = DELTA + 2 * (DELTA * (1 - DELTA) / args.draws) ** 0.5
    print(f"{args.draws:,} draws of {args.queries} queries; bar {bar:.3f}")
    for table in args.tables:
        frame = read_table([table])
        for name, part in parts_of(frame, table.stem):
            world = world_of(part, seed=args.seed)
            for share in promises_of(world):
                count = counted(world, share, draws=args.draws, queries=args.queries)
                print(
                    f"{name}: keep {share:.1%}: certified {count.certified:.1%}, broken "
                    f"{count.broken:.1%}, best looking broken {count.looking:.1%}",
                    flush=True,
                )


def parts_of(frame: pl.DataFrame, name: str) -> Iterator[tuple[str, pl.DataFrame]]:
    """Parts whose queries were asked of the same models."""
    asked = frame.group_by("query_id").agg(pl.col("model").unique().sort().alias("models"))
    common = asked["models"].value_counts(sort=True)
    for number, models in enumerate(common["models"].to_list()[:2]):
        rows = asked.filter(pl.col("models").list.len() == len(models))
        same = rows.filter(pl.col("models").list.set_difference(models).list.len() == 0)
        if len(same) >= len(asked) / 6:
            yield f"{name} {number + 1}", frame.join(same.select("query_id"), on="query_id")


def world_of(frame: pl.DataFrame, *, seed: int) -> World:
    """Fit on one half of the prompts, replay the other."""
    queries = frame.unique("query_id", maintain_order=True).select("query_id", "prompt")
    prompts = tuple(prompt or name for name, prompt in queries.iter_rows())
    half = folds_of(prompt_groups(prompts), 2, seed=seed)
    train, test = (
        frame.join(
            queries.filter(pl.Series(half == k)).head(most).select("query_id"), on="query_id"
        )
        for k, most in ((0, MOST_FITTED), (1, MOST_REPLAYED))
    )
    artifact = fit(train, Wish())
    replayed = replay(test, artifact, Asked())
    records = replayed.records
    column = reference_of(records, artifact)
    labelled = np.isfinite(records.score[:, column])
    return World(
        records.score[labelled, column],
        [Setting(r.quality_weight, scores_of(r, records)[labelled]) for r in replayed.runs],
    )


def promises_of(world: World) -> tuple[float, float]:
    """The usual one, and the hardest."""
    middle = world.settings[len(world.settings) // 2]
    return SHARE, min(world.kept(middle) + HAIR, 0.999)


def counted(world: World, share: float, *, draws: int, queries: int) -> Count:
    """Certify on many draws."""
    truth = {each.quality_weight: world.kept(each) for each in world.settings}
    certified = broken = looking = 0
    for draw in range(draws):
        random = np.random.default_rng((7, draw))
        some = world.drawn(random.integers(len(world.reference), size=queries).tolist())
        kept = cheapest_kept(some.settings, some.reference, share, delta=DELTA, seed=draw)
        certified += kept is not None
        broken += kept is not None and truth[kept.setting.quality_weight] < share
        good = [each.quality_weight for each in some.settings if some.kept(each) >= share]
        looking += bool(good) and truth[min(good)] < share
    return Count(certified / draws, broken / draws, looking / draws)


if __name__ == "__main__":
    main()
