"""Tables from files, with every column there, null where the file has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from emafusion.domain.errors import BadInput, Unready
from emafusion.lab.sample import located

if TYPE_CHECKING:
    import polars as pl

TEXTS = ("query_id", "prompt", "messages", "dataset", "model", "response", "answer", "gold")
NUMBERS = ("score", "cost_usd", "latency_s", "mean_logprob", "cpu_s")
ENDINGS = (".parquet", ".jsonl", ".ndjson", ".csv")
COUNTS = ("prompt_tokens", "completion_tokens", "sample")
OUTCOMES: Mapping[str, str] = {
    **dict.fromkeys(TEXTS, "text"),
    **dict.fromkeys(NUMBERS, "number"),
    **dict.fromkeys(COUNTS, "count"),
}
GRADES: Mapping[str, str] = {
    **dict.fromkeys(("query_id", "model", "judge"), "text"),
    "repeat": "count",
    **dict.fromkeys(("judge_score", "cost_usd"), "number"),
}


def need_polars(verb: str) -> None:
    """Raise `Unready`, which says how to get it, where the table library is absent."""
    if find_spec("polars") is None:
        raise Unready(f"{verb} needs the library polars: pip install 'emafusion[train]'")


def read_table(sources: Sequence[Path]) -> pl.DataFrame:
    """Read outcome tables from parquet, JSONL or CSV."""
    import polars as pl

    return pl.concat([whole(_read(located(source))) for source in sources])


def read_grades(sources: Sequence[Path]) -> pl.DataFrame:
    """Read judge tables from parquet, JSONL or CSV."""
    import polars as pl

    return pl.concat([_cast(_read(source), GRADES, where="judge table") for source in sources])


def _read(path: Path) -> pl.DataFrame:
    import polars as pl

    kind = path.suffix.lower()
    if kind not in ENDINGS:
        raise BadInput(f"must end in {', '.join(ENDINGS)}", where=str(path))
    try:
        if kind == ".parquet":
            return pl.read_parquet(path)
        return pl.read_csv(path) if kind == ".csv" else pl.read_ndjson(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        told = " ".join(str(error).split())[:200]
        raise BadInput(f"cannot be read: {told}", where=str(path)) from error


def whole(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column of an outcome table, null where the frame has none."""
    return _cast(frame, OUTCOMES, where="outcome table")


def _cast(frame: pl.DataFrame, columns: Mapping[str, str], *, where: str) -> pl.DataFrame:
    import polars as pl

    kinds = {"text": pl.String(), "number": pl.Float64(), "count": pl.Int64()}
    missing = [name for name in ("query_id", "model") if name not in frame.columns]
    if missing:
        raise BadInput(f"has no column {missing[0]}", where=where)
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(kinds[kind]).alias(name)
        for name, kind in columns.items()
    )
