"""Outcome tables as arrays: who answered what, how well, at what length and cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats, Ints
from emafusion.estimate.names import canonical

if TYPE_CHECKING:
    import polars as pl

NUMBERS = ("score", "prompt_tokens", "completion_tokens", "cost_usd", "cpu_s")
"""Columns that become matrices; absent ones become all NaN."""

NEEDED = ("query_id", "prompt", "model")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OutcomeTable:
    """n queries and m models.

    `prompts`, `datasets` (empty text where unknown): n each; `models`: m canonical names; `score`
    (0..1), `prompt_tokens`, `completion_tokens`, `cost_usd`, `cpu_s`: float64[n, m], NaN unknown.
    """

    prompts: tuple[str, ...]
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    score: Floats
    prompt_tokens: Floats
    completion_tokens: Floats
    cost_usd: Floats
    cpu_s: Floats

    def take(self, rows: npt.NDArray[np.bool_]) -> OutcomeTable:
        """The queries whose row is true: bool[n]."""
        places = np.flatnonzero(rows).tolist()
        return OutcomeTable(
            prompts=tuple(self.prompts[i] for i in places),
            datasets=tuple(self.datasets[i] for i in places),
            models=self.models,
            score=self.score[rows],
            prompt_tokens=self.prompt_tokens[rows],
            completion_tokens=self.completion_tokens[rows],
            cost_usd=self.cost_usd[rows],
            cpu_s=self.cpu_s[rows],
        )


def from_frame(frame: pl.DataFrame) -> OutcomeTable:
    """Read an outcome table with the columns of the design; repeated rows are averaged.

    Raises:
        BadInput: a needed column is missing, the table is empty, or a score is out of range.
    """
    import polars as pl

    _check(frame)
    held = [name for name in NUMBERS if name in frame.columns]
    rows = frame.select(
        pl.col("query_id").cast(pl.String),
        pl.col("prompt").fill_null(""),
        _text(frame, "dataset").fill_null("").alias("dataset"),
        pl.col("model").map_elements(canonical, return_dtype=pl.String),
        *(pl.col(name).cast(pl.Float64) for name in held),
    )
    means = rows.group_by(("query_id", "model"), maintain_order=True).agg(
        pl.col("prompt").first(), pl.col("dataset").first(), *(pl.col(name).mean() for name in held)
    )
    queries = means.unique("query_id", keep="first", maintain_order=True)
    models = tuple(sorted(means["model"].unique().to_list()))
    places = (_places(means["query_id"].to_list(), queries["query_id"].to_list()),
              _places(means["model"].to_list(), models))  # fmt: skip
    shape = (queries.height, len(models))
    matrices = [
        _matrix(means[name].to_numpy(), places, shape) if name in held else np.full(shape, np.nan)
        for name in NUMBERS
    ]
    return OutcomeTable(
        prompts=tuple(queries["prompt"].to_list()), datasets=tuple(queries["dataset"].to_list()),
        models=models, score=matrices[0], prompt_tokens=matrices[1],
        completion_tokens=matrices[2], cost_usd=matrices[3], cpu_s=matrices[4],
    )  # fmt: skip


def join(tables: Sequence[OutcomeTable]) -> OutcomeTable:
    """Put tables of different queries below each other; models are matched by name."""
    models = tuple(sorted({name for table in tables for name in table.models}))

    def stack(name: str) -> Floats:
        blocks: list[Floats] = []
        for table in tables:
            block = np.full((len(table.prompts), len(models)), np.nan)
            block[:, [models.index(model) for model in table.models]] = getattr(table, name)
            blocks.append(block)
        return np.vstack(blocks)

    return OutcomeTable(
        prompts=tuple(prompt for table in tables for prompt in table.prompts),
        datasets=tuple(dataset for table in tables for dataset in table.datasets),
        models=models, score=stack("score"), prompt_tokens=stack("prompt_tokens"),
        completion_tokens=stack("completion_tokens"), cost_usd=stack("cost_usd"),
        cpu_s=stack("cpu_s"),
    )  # fmt: skip


def _check(frame: pl.DataFrame) -> None:
    """Refuse a table that cannot be learned from, in one line."""
    missing = [name for name in (*NEEDED, "score") if name not in frame.columns]
    if missing:
        raise BadInput(f"columns {', '.join(missing)} are missing", where="outcome table")
    if frame.height == 0:
        raise BadInput("has no rows", where="outcome table")
    wrong = frame.filter((frame["score"] < 0) | (frame["score"] > 1))
    if wrong.height:
        row = wrong.row(0, named=True)
        what = f"score {row['score']} of query {row['query_id']} is not between 0 and 1"
        raise BadInput(what, where="outcome table")


def _text(frame: pl.DataFrame, name: str) -> pl.Expr:
    """A text column, empty where the table has none."""
    import polars as pl

    return pl.col(name).cast(pl.String) if name in frame.columns else pl.lit("")


def _places(values: Sequence[str], known: Sequence[str]) -> Ints:
    """Place of each value among the known ones: int64[len(values)]."""
    place = {value: i for i, value in enumerate(known)}
    return np.array([place[value] for value in values], np.int64)


def _matrix(
    values: npt.NDArray[np.float64], places: tuple[Ints, Ints], shape: tuple[int, int]
) -> Floats:
    """Spread a column over queries and models."""
    matrix = np.full(shape, np.nan)
    matrix[places] = values
    return matrix
