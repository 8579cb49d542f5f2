"""Recorded answers of a pool to many queries, read by the served reader, as arrays."""

from __future__ import annotations

import itertools
import re
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

from emafusion.domain.attempt import Choice, Reply
from emafusion.domain.query import ask
from emafusion.judge.answers import short_answer
from emafusion.judge.asked import FORMS, form_of
from emafusion.judge.grouping import groups_of
from emafusion.judge.rules import examine
from emafusion.learn.panel.looks import FOLDS, RIGHT, fold_of

Array = npt.NDArray[np.float64]
DIM, SHRINK, DIFFICULTY, ADVANTAGE = 2048, 10.0, 3.0, 8.0
"""Hashed words; pseudo-outcomes of a model's mean; ridge of difficulty and of model differences."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """N queries, K models.

    `quality`, `expected_usd`: predicted out of fold; `right`, `cost_usd`:
    what happened; `group`: number of its group of equal answers; `keyed`: has a short answer;
    `failed`: name of the hard check that failed; `there`: was asked; `form`: place in FORMS.
    """

    models: tuple[str, ...]
    quality: Array
    right: Array
    cost_usd: Array
    expected_usd: Array
    group: npt.NDArray[np.int64]
    keyed: npt.NDArray[np.bool_]
    failed: npt.NDArray[np.str_]
    there: npt.NDArray[np.bool_]
    form: npt.NDArray[np.int64]


def read_pool(path: Path, datasets: str, without: str) -> Pool:
    """Every answer of the models that do not match `without`."""
    rows = pl.read_parquet(path).filter(
        pl.col("dataset").str.contains(datasets) & ~pl.col("model").str.contains(without)
    )
    models = sorted(rows["model"].unique())
    queries = rows.group_by("query_id", maintain_order=True).first()
    ids = {query: i for i, query in enumerate(queries["query_id"])}
    at = (
        np.array([ids[q] for q in rows["query_id"]]),
        np.array([models.index(m) for m in rows["model"]]),
    )
    shape = (len(ids), len(models))
    right, cost = np.zeros(shape), np.full(shape, np.nan)
    right[at] = (rows["score"].to_numpy() >= RIGHT).astype(float)
    cost[at] = rows["cost_usd"].fill_null(float("nan")).to_numpy()
    there = ~np.isnan(cost)
    group, keyed, failed = _read(rows, at, shape)
    prompts, names = queries["prompt"].to_list(), queries["dataset"].to_numpy()
    fold = np.array([fold_of(prompt) for prompt in prompts])
    quality, expected = _predict(right, cost, there, prompts=prompts, names=names, fold=fold)
    return Pool(
        models=tuple(models),
        quality=quality,
        right=right,
        cost_usd=np.nan_to_num(cost),
        expected_usd=expected,
        group=group,
        keyed=keyed,
        failed=failed,
        there=there,
        form=np.array([FORMS.index(form_of(ask(prompt))) for prompt in prompts]),
    )


def _read(rows: pl.DataFrame, at: tuple[npt.NDArray[np.int64], ...], shape: tuple[int, int]):  # noqa: ANN202  # three arrays
    keys: dict[int, dict[int, str | None]] = {}
    failed = np.full(shape, "", dtype="U16")
    for i, j, row in zip(*at, rows.select("prompt", "response").iter_rows(), strict=True):
        query = ask(row[0])
        reply = Reply(choices=(Choice(text=row[1] or ""),), model="m")
        keys.setdefault(i, {})[j] = short_answer(query, reply)
        value, reason = examine(query, reply)
        failed[i, j] = reason.partition(":")[0] if value == 0.0 else ""
    group, keyed = np.full(shape, -1), np.zeros(shape, dtype=bool)
    for i, found in keys.items():
        for j, number in zip(found, groups_of(list(found.values())), strict=True):
            group[i, j], keyed[i, j] = number, found[j] is not None
    return group, keyed, failed


def _predict(right: Array, cost: Array, there: npt.NDArray[np.bool_], *, prompts, names, fold):  # noqa: ANN001, ANN202  # arrays
    """Out of fold: a table by dataset and model, plus ridge on hashed words; mean cost."""
    words = _words(prompts)
    quality, expected = np.zeros_like(right), np.zeros_like(cost)
    for k in range(FOLDS):
        seen, held = fold != k, fold == k
        table = np.zeros_like(right)
        mean = (right * there)[seen].sum(0) / np.maximum(there[seen].sum(0), 1)
        for name in np.unique(names):
            own, here = seen & (names == name), names == name
            count = there[own].sum(0)
            table[here] = ((right * there)[own].sum(0) + SHRINK * mean) / (count + SHRINK)
            expected[held & here] = np.nanmean(cost[own], axis=0)
        rest = np.where(there, right - table, 0.0)[seen]
        hard = rest.mean(1, keepdims=True)
        fit = _ridge(words[seen], hard, DIFFICULTY) + _ridge(words[seen], rest - hard, ADVANTAGE)
        quality[held] = table[held] + words[held] @ fit
    return np.clip(quality, 0.02, 0.98), expected


def _ridge(x: Array, y: Array, penalty: float) -> Array:
    return np.linalg.solve(x.T @ x + penalty * np.eye(x.shape[1]), x.T @ y)


def _words(prompts: list[str]) -> Array:
    x = np.zeros((len(prompts), DIM))
    for i, prompt in enumerate(prompts):
        words = re.findall(r"\w+|[^\w\s]", prompt.lower())[:400]
        for gram in words + [f"{a} {b}" for a, b in itertools.pairwise(words)]:
            code = zlib.crc32(gram.encode())
            x[i, code % DIM] += 1 if code >> 20 & 1 else -1
    x = np.sign(x) * np.sqrt(np.abs(x))
    return x / (np.linalg.norm(x, axis=1, keepdims=True) + 1e-9)
