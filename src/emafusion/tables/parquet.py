"""Tables as parquet, read a slice at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from emafusion.domain.errors import BadInput
from emafusion.tables.batch import ROWS, Batch
from emafusion.tables.columns import Shape


def read_parquet(path: Path, shape: Shape) -> Iterator[Batch]:
    """Batches of a parquet file; only the columns of the shape are read."""
    import polars as pl

    try:
        lazy = pl.scan_parquet(path, glob=False)
        names = lazy.collect_schema().names()
        wanted = [name for name in shape.names if name in names]
        rows = int(lazy.select(pl.len()).collect().item())
        for start in range(0, rows, ROWS):
            frame = lazy.select(wanted).slice(start, ROWS).collect()
            end = min(start + ROWS, rows)
            yield Batch(
                columns={name: frame[name] for name in wanted},
                lines=pl.int_range(start + 1, end + 1, eager=True),
                names=frozenset(names),
            )
    except (OSError, pl.exceptions.PolarsError) as error:
        told = " ".join(str(error).split())[:200]
        raise BadInput(f"cannot be read as parquet: {told}", where=str(path)) from error
