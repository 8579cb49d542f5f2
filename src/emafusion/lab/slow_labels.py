"""Tables of slow labels: what a language model said of the kind of queries, and what they are.

Columns: `query_id`, `response` (the labeller's reply as it came), and where they are known `model`,
`cost_usd`, `latency_s`; `task`, `depth`, `domain`, `format`: the true classes, told by people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from emafusion.domain.attempt import Choice
from emafusion.domain.errors import BadInput
from emafusion.domain.features import Features, Floats, Labels
from emafusion.encode.taxonomy import AXES
from emafusion.estimate.arrays import AnyArray
from emafusion.judge.labeller import labels_of
from emafusion.learn.mixing import fit_mix
from emafusion.replay.labelled import SaidOfQuery, SlowRecords

if TYPE_CHECKING:
    import polars as pl

FEWEST = 20
"""True classes of an axis from which on its weight is fitted."""

CLASSES = {axis.name: axis.classes for axis in AXES}
READERS = {".parquet": "read_parquet", ".jsonl": "read_ndjson", ".csv": "read_csv"}


class SlowTable(NamedTuple):
    """`records`: for a replay; `truths`: by axis the place of the true class by query_id."""

    records: SlowRecords
    truths: Mapping[str, Mapping[str, int]]


def read_slow_labels(path: Path) -> SlowTable:
    """Read a table. Raises `BadInput`, which names what is wrong and where."""
    import polars as pl

    name = READERS.get(path.suffix)
    if name is None:
        raise BadInput(f"is none of {', '.join(READERS)}", where=str(path))
    try:
        frame: pl.DataFrame = getattr(pl, name)(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise BadInput(f"cannot be read: {str(error)[:200]}", where=str(path)) from error
    missing = [name for name in ("query_id", "response") if name not in frame.columns]
    if missing:
        raise BadInput(f"has no column {missing[0]}", where=str(path))
    frame = frame.filter(pl.col("response").is_not_null()).unique("query_id", keep="first")
    rows = frame.with_columns(pl.col("query_id").cast(pl.String)).to_dicts()
    models = [str(row["model"]) for row in rows if row.get("model") is not None]
    said = {row["query_id"]: _said(row) for row in rows}
    truths = {axis: _truths(rows, axis, where=str(path)) for axis in CLASSES}
    return SlowTable(SlowRecords(model=models[0] if models else "labeller", said=said), truths)


def trust_of(
    table: SlowTable, ids: Sequence[str], features: Sequence[Features]
) -> dict[str, float]:
    """By axis how far slow labels are believed against fast ones, where enough truths tell.

    `ids`, `features`: of the queries that were learned from.
    """
    read = {query_id: _labels(table, query_id) for query_id in ids}
    trust: dict[str, float] = {}
    for axis, truths in table.truths.items():
        found = [
            (getattr(slow, axis), getattr(each.labels, axis), truths[query_id])
            for query_id, each in zip(ids, features, strict=True)
            if (slow := read[query_id]) is not None and query_id in truths
        ]
        if len(found) >= FEWEST:
            slows, fasts, places = zip(*found, strict=True)
            trust[axis] = fit_mix(_stacked(slows), _stacked(fasts), np.array(places, np.int64))
    return trust


def trust_arrays(trust: Mapping[str, float]) -> dict[str, AnyArray]:
    """As an artifact holds them; nothing where nothing was fitted."""
    if not trust:
        return {}
    return {
        "labels/axes": np.array(list(trust), dtype=np.str_),
        "labels/trust": np.array(list(trust.values()), np.float64),
    }


def _said(row: Mapping[str, object]) -> SaidOfQuery:
    cost, latency = row.get("cost_usd"), row.get("latency_s")
    return SaidOfQuery(
        text=str(row["response"]),
        cost_usd=float(cost) if isinstance(cost, int | float) else None,
        latency_s=float(latency) if isinstance(latency, int | float) else None,
    )


def _truths(rows: Sequence[Mapping[str, object]], axis: str, *, where: str) -> dict[str, int]:
    """Places of the true classes that are told. Raises `BadInput` for a class that is none."""
    found: dict[str, int] = {}
    for row in rows:
        told = row.get(axis)
        if told is None:
            continue
        if told not in CLASSES[axis]:
            there = ", ".join(CLASSES[axis])
            what = f"{axis} '{str(told)[:40]}' of query {row['query_id']} is none of {there}"
            raise BadInput(what, where=where)
        found[str(row["query_id"])] = CLASSES[axis].index(str(told))
    return found


def _labels(table: SlowTable, query_id: str) -> Labels | None:
    said = table.records.said.get(query_id)
    return None if said is None else labels_of(Choice(text=said.text), CLASSES)


def _stacked(rows: Sequence[Floats]) -> Floats:
    stacked: Floats = np.stack(rows)
    return stacked
