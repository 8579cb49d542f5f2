"""Looks: recorded answers of a few models to one query, read as they are read in service."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from emafusion.domain.attempt import Choice, Reply
from emafusion.domain.features import Floats, Ints
from emafusion.domain.query import ask
from emafusion.judge.answers import short_answer
from emafusion.judge.asked import FORMS, form_of
from emafusion.judge.grouping import groups_of
from emafusion.judge.rules import examine

MODELS = 3
FOLDS = 5
RIGHT = 0.99
"""A score from here on counts as right: .01 to .98 is partial credit or a well-formed error."""
LABELS = 3_000.0
"""Labels that a table counts as in a fit, however long it is: none drowns another."""
SHRINK = 10.0
"""Pseudo-outcomes of a model's mean in its quality on one dataset."""

Bools = npt.NDArray[np.bool_]
Names = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Looks:
    """Answers of m models to each of N queries.

    `quality`: float64[N, m], what a table of outcomes of the other folds predicts; `right`:
    float64[N, m], 0 or 1; `same`: bool[N, m, m], equal short answers; `keyed`: bool[N, m], has a
    short answer; `failed`: str[N, m], hard check that failed or empty; `form`: int64[N], place in
    `FORMS`; `fold`: int64[N], by prompt; `weight`: of one query in a fit.
    """

    name: str
    quality: Floats
    right: Floats
    same: Bools
    keyed: Bools
    failed: Names
    form: Ints
    fold: Ints
    weight: float

    def where(self, rows: Bools) -> Looks:
        """Some of the queries."""
        return Looks(
            name=self.name,
            quality=self.quality[rows],
            right=self.right[rows],
            same=self.same[rows],
            keyed=self.keyed[rows],
            failed=self.failed[rows],
            form=self.form[rows],
            fold=self.fold[rows],
            weight=self.weight,
        )

    def first(self, models: int) -> Looks:
        """The same queries as if only the first few models had been asked."""
        return Looks(
            name=self.name,
            quality=self.quality[:, :models],
            right=self.right[:, :models],
            same=self.same[:, :models, :models],
            keyed=self.keyed[:, :models],
            failed=self.failed[:, :models],
            form=self.form,
            fold=self.fold,
            weight=self.weight,
        )


def read_looks(path: Path, datasets: str, *, queries: int, seed: int) -> Looks:
    """Looks of three random models each at up to `queries` queries of the datasets that match.

    Only the chosen replies are read, so a large table takes seconds.
    """
    rows = _rows(path, datasets)
    rng = np.random.default_rng(seed)
    looks = [_look(look) for look in _chosen(rows, queries, rng) if len(look) == MODELS]
    parts = [np.array(part) for part in zip(*looks, strict=True)]
    quality, right, same, keyed, failed, form, fold = parts
    return Looks(
        name=f"{path.stem} {datasets}".strip(),
        quality=quality,
        right=right,
        same=same,
        keyed=keyed,
        failed=failed,
        form=form,
        fold=fold,
        weight=LABELS / len(looks),
    )


def fold_of(prompt: str) -> int:
    """Fold of a prompt: near copies (case, spaces, punctuation) fall into one.

    >>> fold_of("How many?") == fold_of("how  many")
    True
    """
    bare = re.sub(r"\W+", "", prompt.casefold())
    return hashlib.sha256(bare.encode("utf-8", "surrogatepass")).digest()[0] % FOLDS


def predicted(rows: pl.DataFrame) -> pl.DataFrame:
    """Add `quality`: of a model on a dataset from the other folds, shrunk to the model's mean.

    Needs `dataset`, `model`, `fold` and `right`.
    """
    for keys, name in ((["model"], "all"), (["dataset", "model"], "own")):
        total = rows.group_by(keys).agg(
            pl.col("right").sum().alias(f"{name}_sum"), pl.len().alias(f"{name}_n")
        )
        fold = rows.group_by([*keys, "fold"]).agg(
            pl.col("right").sum().alias("fold_sum"), pl.len().alias("fold_n")
        )
        other = fold.join(total, on=keys).select(
            *keys,
            "fold",
            (pl.col(f"{name}_sum") - pl.col("fold_sum")).alias(f"{name}_sum"),
            (pl.col(f"{name}_n") - pl.col("fold_n")).alias(f"{name}_n"),
        )
        rows = rows.join(other, on=[*keys, "fold"])
    mean = (pl.col("all_sum") + 1.0) / (pl.col("all_n") + 2.0)
    own = (pl.col("own_sum") + SHRINK * mean) / (pl.col("own_n") + SHRINK)
    return rows.with_columns(own.alias("quality"))


def _rows(path: Path, datasets: str) -> pl.DataFrame:
    """The table with right or wrong, fold, and each row's predicted quality."""
    columns = ("query_id", "prompt", "dataset", "model", "response", "score")
    table = pl.scan_parquet(path).select(columns).filter(pl.col("score").is_not_null())
    rows = table.filter(pl.col("dataset").str.contains(datasets)).collect()
    prompts = rows.select("prompt").unique()
    folds = prompts.with_columns(
        pl.Series("fold", [fold_of(prompt) for prompt in prompts["prompt"]], dtype=pl.Int64)
    )
    right = (pl.col("score") >= RIGHT).cast(pl.Float64).alias("right")
    return predicted(rows.join(folds, on="prompt").with_columns(right))


def _chosen(
    rows: pl.DataFrame, queries: int, rng: np.random.Generator
) -> Iterator[list[dict[str, str | float | int | None]]]:
    """Three random rows of each of some random queries."""
    shuffled = rows.sort("query_id", "model").sample(
        fraction=1.0, shuffle=True, seed=int(rng.integers(2**31))
    )
    ids = shuffled["query_id"].unique(maintain_order=True)[:queries]
    chosen = shuffled.filter(pl.col("query_id").is_in(ids.implode()))
    for _, look in chosen.group_by("query_id", maintain_order=True):
        yield look.head(MODELS).to_dicts()


def _look(rows: list[dict[str, str | float | int | None]]) -> tuple[object, ...]:
    query = ask(str(rows[0]["prompt"]))
    replies = [
        Reply(choices=(Choice(text=str(row["response"] or "")),), model=str(row["model"]))
        for row in rows
    ]
    keys = [short_answer(query, reply) for reply in replies]
    groups = groups_of(keys)
    found = [examine(query, reply) for reply in replies]
    return (
        [row["quality"] for row in rows],
        [row["right"] for row in rows],
        [[a == b for b in groups] for a in groups],
        [key is not None for key in keys],
        [reason.partition(":")[0] if value == 0.0 else "" for value, reason in found],
        FORMS.index(form_of(query)),
        rows[0]["fold"],
    )
