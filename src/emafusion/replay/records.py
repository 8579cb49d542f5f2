"""Recorded answers as arrays by query and model, read off an outcome table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput, UnknownModel
from emafusion.domain.features import Floats, Ints
from emafusion.domain.query import Query

if TYPE_CHECKING:
    import polars as pl

Bools = npt.NDArray[np.bool_]
QueryOf = Callable[[str, str | None, str | None], Query]
"""(query_id, prompt, messages as JSON) -> Query."""

WHERE = "outcome table"
NUMBERS = ("score", "cost_usd", "latency_s", "mean_logprob", "prompt_tokens", "completion_tokens")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Records:
    """n queries, m models; the first of repeated answers of one model counts.

    `datasets`: n, empty where unknown. `row`: int64[n, m], place of the answer in `responses` and
    `answers` (either may be None there), -1 where the model was never asked. The numbers are
    float64[n, m], NaN where unknown. `repeated`: rows of the table that were left out;
    `with_logprobs`: models of whose answers token log-probabilities were recorded.
    """

    queries: tuple[Query, ...]
    datasets: tuple[str, ...]
    models: tuple[str, ...]
    row: Ints
    responses: Sequence[str | None]
    answers: Sequence[str | None]
    score: Floats
    cost_usd: Floats
    latency_s: Floats
    mean_logprob: Floats
    prompt_tokens: Floats
    completion_tokens: Floats
    repeated: int = 0
    with_logprobs: frozenset[str] = frozenset()

    @property
    def asked(self) -> Bools:
        """bool[n, m]: whether the model's answer to the query was recorded."""
        return self.row >= 0

    @property
    def unread(self) -> frozenset[tuple[str, str]]:
        """query_id and model of answers whose response is unknown."""
        places: list[list[int]] = np.argwhere(self.row >= 0).tolist()
        return frozenset(
            (self.queries[i].query_id, self.models[k])
            for i, k in places
            if self.responses[int(self.row[i, k])] is None
        )

    @property
    def answered(self) -> frozenset[tuple[str, str]]:
        """query_id and model of responses in which the table found a short answer."""
        places: list[list[int]] = np.argwhere(self.row >= 0).tolist()
        return frozenset(
            (self.queries[i].query_id, self.models[k])
            for i, k in places
            if self.answers[int(self.row[i, k])] is not None
        )

    @property
    def is_scored(self) -> bool:
        """Whether any answer has a score."""
        return bool(np.isfinite(self.score).any())

    def take(self, rows: Bools) -> Records:
        """The queries whose row is true: bool[n]. Models stay, also those with no answer left."""
        places: list[int] = np.flatnonzero(rows).tolist()
        row = self.row[rows]
        asked = row >= 0
        kept: list[int] = row[asked].tolist()
        row[asked] = np.arange(len(kept))
        return replace(
            self,
            responses=[self.responses[r] for r in kept],
            answers=[self.answers[r] for r in kept],
            row=row,
            queries=tuple(self.queries[i] for i in places),
            datasets=tuple(self.datasets[i] for i in places),
            score=self.score[rows],
            cost_usd=self.cost_usd[rows],
            latency_s=self.latency_s[rows],
            mean_logprob=self.mean_logprob[rows],
            prompt_tokens=self.prompt_tokens[rows],
            completion_tokens=self.completion_tokens[rows],
        )

    def place(self, model: str) -> int:
        """Column of a model. Raises `UnknownModel`, which names those that are there."""
        if model not in self.models:
            told = ", ".join(self.models[:8]) + (", ..." if len(self.models) > 8 else "")
            raise UnknownModel(f"no answers of '{model[:80]}'; there are {told}", where=WHERE)
        return self.models.index(model)


def records_of(
    frame: pl.DataFrame, query_of: QueryOf, *, models: Sequence[str] | None = None
) -> Records:
    """Read an outcome table with all its columns, null where unknown.

    `models`: those to keep, None for all. Raises `BadInput` where nothing is left to replay.
    """
    import polars as pl

    kept = _kept(frame, models)
    once = kept.sort("sample", nulls_last=False, maintain_order=True).unique(
        ("query_id", "model"), keep="first", maintain_order=True
    )
    asked = kept.group_by("query_id", maintain_order=True).agg(
        pl.col("prompt", "messages", "dataset").drop_nulls().first()
    )
    names = tuple(sorted(once["model"].unique().to_list()))
    places = (_codes(once["query_id"], asked["query_id"]), _codes(once["model"], names))
    numbers = {name: _spread(once[name], places, (asked.height, len(names))) for name in NUMBERS}
    row = np.full((asked.height, len(names)), -1, np.int64)
    row[places] = np.arange(once.height)
    return Records(
        queries=tuple(
            replace(query_of(query_id, prompt, messages), dataset=dataset or None)
            for query_id, prompt, messages, dataset in asked.iter_rows()
        ),
        datasets=tuple(asked["dataset"].fill_null("").to_list()),
        models=names,
        row=row,
        responses=once["response"].to_list(),
        answers=once["answer"].to_list(),
        repeated=kept.height - once.height,
        with_logprobs=frozenset(
            once.filter(pl.col("mean_logprob").is_not_null())["model"].unique().to_list()
        ),
        **numbers,
    )


def _kept(frame: pl.DataFrame, models: Sequence[str] | None) -> pl.DataFrame:
    """Rows of the wanted models; a plain refusal where there is none."""
    import polars as pl

    if frame.height == 0:
        raise BadInput("has no rows", where=WHERE)
    for name in ("query_id", "model"):
        empty = frame[name].null_count()
        if empty:
            raise BadInput(f"{empty} rows have no {name}", where=WHERE)
    if models is None:
        return frame
    known = set(frame["model"].unique().to_list())
    unknown = [name for name in models if name not in known]
    if unknown:
        told = ", ".join(sorted(known)[:8])
        raise UnknownModel(f"no answers of '{unknown[0][:80]}'; there are {told}", where=WHERE)
    return frame.filter(pl.col("model").is_in(list(models)))


def _codes(values: pl.Series, known: Sequence[str] | pl.Series) -> Ints:
    """Place of each value among the known ones."""
    place = {value: i for i, value in enumerate(known)}
    return np.array([place[value] for value in values.to_list()], np.int64)


def _spread(values: pl.Series, places: tuple[Ints, Ints], shape: tuple[int, int]) -> Floats:
    """A column over queries and models, NaN where there is none."""
    matrix = np.full(shape, np.nan)
    matrix[places] = values.cast(float).fill_null(float("nan")).to_numpy()
    return matrix
