"""Decisions: one row for each query and setting of the dial, as a table and as a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from emafusion.domain.errors import BadInput
from emafusion.domain.features import Floats
from emafusion.replay.records import Records
from emafusion.replay.run import Run

if TYPE_CHECKING:
    import polars as pl

COLUMNS = (
    "query_id", "policy", "quality_weight", "models", "judges", "model", "answer", "confidence",
    "route", "propensity", "cost_usd", "latency_s",
)  # fmt: skip
"""`models` (called, in order) and `judges` (asked) are lists; what is unknown is null, and so is
`model` where several gave the answer together."""


def decisions_of(records: Records, runs: Sequence[Run]) -> pl.DataFrame:
    """Table of decisions: settings in their order, queries in the table's order."""
    import polars as pl

    return pl.concat([_of_run(records, run) for run in runs])


def write_decisions(frame: pl.DataFrame, path: Path) -> None:
    """Write a table of decisions, whole or not at all; the ending says how.

    Raises `BadInput` for an ending other than .parquet, .jsonl, .ndjson and .csv.
    """
    write = writer_of(path)
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    os.close(handle)
    try:
        write(frame, Path(draft))
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    finally:
        Path(draft).unlink(missing_ok=True)


def writer_of(path: Path) -> Callable[[pl.DataFrame, Path], None]:
    """How a file of that ending is written. Raises `BadInput` for any other ending or folder."""
    write = WRITERS.get(path.suffix.lower())
    if write is None:
        raise BadInput(f"must end in {', '.join(WRITERS)}", where=str(path))
    if not path.parent.is_dir():
        raise BadInput("its folder does not exist", where=str(path))
    return write


def _of_run(records: Records, run: Run) -> pl.DataFrame:
    import polars as pl

    names = records.models
    held = run.model >= 0
    rows = np.arange(len(run.model))
    given = np.where(held, records.row[rows, run.model], -1).tolist()
    columns: dict[str, pl.Series] = {
        "query_id": pl.Series([query.query_id for query in records.queries], dtype=pl.String),
        "policy": pl.Series([run.policy] * len(rows), dtype=pl.String),
        "quality_weight": pl.Series([run.quality_weight] * len(rows), dtype=pl.Float64),
        "models": pl.Series(
            [[names[k] for k in called] for called in run.called], dtype=pl.List(pl.String)
        ),
        "judges": pl.Series([list(asked) for asked in run.judges], dtype=pl.List(pl.String)),
        "model": pl.Series(
            [
                names[k] if k >= 0 and not together else None
                for k, together in zip(run.model.tolist(), run.fused.tolist(), strict=True)
            ],
            dtype=pl.String,
        ),
        "answer": pl.Series(
            [records.answers[r] if r >= 0 else None for r in given], dtype=pl.String
        ),
        "confidence": _known(run.confidence),
        "route": pl.Series(list(run.routes), dtype=pl.String),
        "propensity": _known(run.propensity),
        "cost_usd": _known(run.cost_usd),
        "latency_s": _known(run.latency_s),
    }
    return pl.DataFrame(columns).select(COLUMNS)


def _known(values: Floats) -> pl.Series:
    """A column, null where unknown."""
    import polars as pl

    return pl.Series(values, dtype=pl.Float64).fill_nan(None)


def _parquet(frame: pl.DataFrame, path: Path) -> None:
    frame.write_parquet(path)


def _jsonl(frame: pl.DataFrame, path: Path) -> None:
    frame.write_ndjson(path)


def _csv(frame: pl.DataFrame, path: Path) -> None:
    """Lists become JSON texts: CSV has none."""
    import msgspec
    import polars as pl

    texts = [
        pl.Series(name, [msgspec.json.encode(each).decode() for each in frame[name].to_list()])
        for name in ("models", "judges")
    ]
    frame.with_columns(texts).write_csv(path)


WRITERS: Mapping[str, Callable[[pl.DataFrame, Path], None]] = {
    ".parquet": _parquet,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".csv": _csv,
}
"""By the ending of a file."""
