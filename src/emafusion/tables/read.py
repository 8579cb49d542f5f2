"""Tables of recorded answers and of grades, read from files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from emafusion.domain.errors import BadInput, Unready
from emafusion.tables.bad import BadRow, BadRows
from emafusion.tables.columns import JUDGES, OUTCOMES, Shape
from emafusion.tables.repeats import without_repeats
from emafusion.tables.source import Source

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Read:
    """A table that was read.

    `frame`: every column of the kind of table, in its order and with its type, null where unknown.
    `skipped`: bad rows left out, the first of them in `bad`. `repeats`: exact repeats left out.
    `left_out`: how many things were no rows (calls that failed in a log), by what they were.
    `ignored`: columns of the files that are not used.
    """

    frame: pl.DataFrame
    skipped: int = 0
    bad: tuple[BadRow, ...] = ()
    repeats: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict[str, int])
    ignored: tuple[str, ...] = ()

    def notes(self) -> Iterator[str]:
        """What was left out, a line each."""
        if self.skipped:
            more = "" if self.skipped == len(self.bad) else ", ..."
            told = "; ".join(map(str, self.bad))
            yield f"{self.skipped:,} bad row{'s' * (self.skipped > 1)} left out: {told}{more}"
        if self.repeats:
            yield f"{self.repeats:,} exact repeat{'s' * (self.repeats > 1)} left out"
        for what, count in self.left_out.items():
            yield f"{what} left out: {count:,}"
        if self.ignored:
            yield f"columns not used: {', '.join(self.ignored)}"


def read_outcomes(
    sources: Sequence[Path],
    *,
    skip_bad: bool = False,
    prompts: Literal["needed", "optional"] = "needed",
) -> Read:
    """Read outcome tables from parquet, JSONL and CSV files and logs, below each other.

    `skip_bad`: count bad rows instead of refusing the table. `prompts`: `optional` where only who
    answered how well matters. Raises `BadInput` (what, where, what would be right) where there is
    nothing to use, and `Unready` without polars.
    """
    shape = OUTCOMES if prompts == "needed" else replace(OUTCOMES, asks=False)
    return read_table(sources, shape, skip_bad=skip_bad)


def read_judges(sources: Sequence[Path], *, skip_bad: bool = False) -> Read:
    """Read judge tables from parquet, JSONL and CSV files, below each other; see above."""
    return read_table(sources, JUDGES, skip_bad=skip_bad)


def read_table(sources: Sequence[Path], shape: Shape, *, skip_bad: bool = False) -> Read:
    """Read tables of any shape."""
    if find_spec("polars") is None:
        raise Unready("reading tables needs the library polars: pip install 'emafusion[train]'")
    import polars as pl

    opened = [Source(path, shape) for path in sources]
    frames: list[pl.DataFrame] = []
    bad = BadRows()
    for source in opened:
        for batch in source:
            bad.add(batch.bad)
            if skip_bad or not bad.count:
                frames.append(batch.frame)
    if not skip_bad:
        bad.refuse()
    whole = pl.concat(frames, rechunk=True) if frames else pl.DataFrame(schema=shape.schema())
    refuse_nothing(whole.height, bad, where=", ".join(map(str, sources)))
    frame, repeats = without_repeats(whole, shape)
    return Read(
        frame=frame,
        skipped=bad.count,
        bad=tuple(bad.first),
        repeats=repeats,
        left_out=sum((source.left_out for source in opened), Counter[str]()),
        ignored=tuple(sorted({name for source in opened for name in source.ignored})),
    )


def refuse_nothing(rows: int, bad: BadRows, *, where: str) -> None:
    """Raise `BadInput` where no good row is left."""
    if not rows:
        what = f"every row is bad: {bad.told}" if bad.count else "has no rows"
        raise BadInput(what, where=where)
