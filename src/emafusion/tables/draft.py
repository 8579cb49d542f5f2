"""A table that is being made: rows are added, and at the end it is a file, or nothing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Final, Self

from emafusion.tables.columns import Shape
from emafusion.tables.repeats import keyed, once
from emafusion.tables.write import write_text, writing

if TYPE_CHECKING:
    import polars as pl

PART_BYTES: Final = 16 * 2**20
"""Bytes of rows that are held before they go to the disk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """What a table has.

    `repeats`: exact repeats left out; `scored`, `priced`: rows with a score, with a cost.
    """

    rows: int
    repeats: int
    queries: int
    models: tuple[str, ...]
    scored: int
    priced: int


class Draft:
    """A table that grows in a hidden folder beside its file; a context manager.

    Nothing is at `path` before `publish`, and nothing stays behind without it. `rows`: how many
    were added. Raises `Unready` where the disk is full or the folder cannot be written to.
    """

    def __init__(self, path: Path, shape: Shape) -> None:
        self.path = path
        self.rows = 0
        self._shape = shape
        with writing(path):
            self._folder = tempfile.TemporaryDirectory(prefix=".emafusion-", dir=path.parent)
        self._parts: list[Path] = []
        self._held: list[pl.DataFrame] = []
        self._size = 0.0
        self._whole = 0.0
        self._keys: list[pl.DataFrame] = []

    def add(self, frame: pl.DataFrame) -> None:
        """More rows, with every column of the shape."""
        if not frame.height:
            return
        self.rows += frame.height
        self._held.append(frame)
        self._size += frame.estimated_size()
        self._whole += frame.estimated_size()
        self._keys.append(self._key(frame))
        if self._size >= PART_BYTES:
            with writing(self.path):
                self._put_down()

    def finish(self) -> Finished:
        """Write the file, still hidden, and say what is in it. Raises `Unready`."""
        with writing(self.path):
            return self._finished()

    def _finished(self) -> Finished:
        import polars as pl

        self._put_down()
        whole = pl.concat(self._keys) if self._keys else self._key(self._empty())
        self._keys.clear()
        kept = once(whole, self._shape)
        if kept is not None:
            self._renumber(kept)
            whole = whole[kept["row"]]
        self._write()
        return Finished(
            rows=whole.height,
            repeats=self.rows - whole.height,
            queries=whole["query_id"].n_unique(),
            models=tuple(whole["model"].unique().sort().to_list()),
            scored=int(whole["score"].sum()),
            priced=int(whole["cost_usd"].sum()),
        )

    def publish(self) -> None:
        """Put the finished file into its place."""
        with writing(self.path):
            self._hidden.replace(self.path)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._folder.cleanup()

    def _key(self, frame: pl.DataFrame) -> pl.DataFrame:
        """What tells rows apart, and whether each has a score and a cost."""
        said = [
            (frame[name].is_not_null() if name in frame.columns else frame["model"].is_null())
            .alias(name)
            for name in ("score", "cost_usd")
        ]  # fmt: skip
        return keyed(frame, self._shape).with_columns(said)

    @property
    def _group(self) -> int:
        """Rows of a row group of parquet: as many as are some megabytes, for several are held."""
        row = self._whole / max(1, self.rows)
        return min(max(int(PART_BYTES / max(1.0, row)), 100), 100_000)

    def _empty(self) -> pl.DataFrame:
        import polars as pl

        return pl.DataFrame(schema=self._shape.schema())

    @property
    def _hidden(self) -> Path:
        return Path(self._folder.name) / "whole"

    def _put_down(self) -> None:
        import polars as pl

        if self._held:
            part = Path(self._folder.name) / f"{len(self._parts)}.parquet"
            pl.concat(self._held).write_parquet(part, compression="lz4")
            self._parts.append(part)
        self._held.clear()
        self._size = 0.0

    def _frames(self) -> Iterator[tuple[Path, pl.DataFrame]]:
        import polars as pl

        for part in self._parts:
            yield part, pl.read_parquet(part, glob=False)

    def _renumber(self, kept: pl.DataFrame) -> None:
        """Keep these rows of all parts, with these numbers."""
        import polars as pl

        number = self._shape.key[-1]
        start = 0
        for part, frame in self._frames():
            mine = kept.filter(pl.col("row").is_between(start, start + frame.height, closed="left"))
            start += frame.height
            rows = frame[mine["row"].cast(pl.Int64) - (start - frame.height)]
            rows.with_columns(mine[number]).write_parquet(part, compression="lz4")

    def _write(self) -> None:
        import polars as pl

        if self.path.suffix.lower() == ".parquet":
            if self._parts:
                pl.scan_parquet(self._parts, glob=False).sink_parquet(
                    self._hidden, row_group_size=self._group
                )
            else:
                self._empty().write_parquet(self._hidden)
            return
        write_text((frame for _, frame in self._frames()), self._hidden, like=self.path)
