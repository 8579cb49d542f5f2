"""A file of a table: which kind it is, and its rows, checked, a batch at a time."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Final

from emafusion.domain.errors import BadInput
from emafusion.tables.batch import Batch
from emafusion.tables.clean import Clean, clean
from emafusion.tables.columns import OUTCOMES, Shape
from emafusion.tables.csv_text import read_csv
from emafusion.tables.jsonl import read_jsonl
from emafusion.tables.lines import GZIP, ZSTD, first_bytes
from emafusion.tables.log import is_database, read_log
from emafusion.tables.parquet import read_parquet

Reader = Callable[[Path, Shape], Iterator[Batch]]

ENDINGS: Final[Mapping[str, Reader]] = {
    ".parquet": read_parquet,
    ".jsonl": read_jsonl,
    ".ndjson": read_jsonl,
    ".csv": read_csv,
}
"""By the ending of a file, before `.gz` or `.zst`."""

_MAGIC: Final[Mapping[bytes, Reader]] = {b"PAR1": read_parquet, b"SQLite format 3": read_log}


class Source:
    """One file of a table.

    `left_out`: how many things were no rows, by what they were; `ignored`: columns that were seen
    and are none of ours. Both are known once all rows were read.
    """

    def __init__(self, path: Path, shape: Shape) -> None:
        """Look at the file. Raises `BadInput` where it is none or of no kind that is read."""
        self.path = path
        self._shape = shape
        self._read = reader_of(path)
        if self._read is read_log and shape.name != OUTCOMES.name:
            raise BadInput(f"is a log, no {shape.name}", where=str(path))
        self._names: set[str] = set()
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Clean]:
        """Rows, checked. Raises `BadInput` where the file is no such table."""
        unit = "row" if self._read in {read_parquet, read_log} else "line"
        rows = 0
        for batch in self._read(self.path, self._shape):
            self._names |= batch.names
            self.left_out.update(batch.left_out)
            rows += batch.lines.len() + len(batch.bad)
            if self._read is not read_jsonl and self._names:
                refuse_missing(self._names, self._shape, where=str(self.path))
            yield clean(batch, self._shape, source=str(self.path), unit=unit)
        if not rows:
            more = "".join(f", only {what} ({n:,})" for what, n in self.left_out.items())
            raise BadInput(f"has no rows{more}", where=str(self.path))
        if self._names:
            refuse_missing(self._names, self._shape, where=str(self.path))

    @property
    def ignored(self) -> tuple[str, ...]:
        """Columns that are not used, in the order of the alphabet."""
        return tuple(sorted(self._names - {*self._shape.names, ""}))


def reader_of(path: Path) -> Reader:
    """How a file is read: by its first bytes where they tell, else by its ending."""
    # A log that this process may be writing to is not opened to look: see `store.private`.
    if is_database(path) or (path.suffix == ".sqlite" and path.is_file()):
        return read_log
    begin = first_bytes(path)
    for magic, reader in _MAGIC.items():
        if begin.startswith(magic):
            return reader
    endings = [ending.lower() for ending in path.suffixes]
    if begin.startswith((GZIP, ZSTD)) and endings[-1:] in ([".gz"], [".zst"]):
        endings.pop()
    found = ENDINGS.get(endings[-1] if endings else "")
    if found is None or (found is read_parquet and begin):
        what = "is no parquet file" if found else f"must end in {', '.join(ENDINGS)}"
        raise BadInput(f"{what}, or be a log of the gateway", where=str(path))
    if not begin:
        raise BadInput("is empty", where=str(path))
    return found


def refuse_missing(names: set[str], shape: Shape, *, where: str) -> None:
    """Raise `BadInput` for a needed column that is absent, with the one nearest by name."""
    missing = [name for name in shape.needed if name not in names]
    if shape.asks and not names & {"prompt", "messages"}:
        missing.append("prompt")
    if missing:
        others = sorted(names - set(shape.names))
        near = difflib.get_close_matches(missing[0], others, n=1, cutoff=0.5)
        hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(sorted(names))}"
        what = f"column{'s' if missing[1:] else ''} {', '.join(missing)} missing"
        how = "`emafusion import jsonl --map OURS=THEIRS` renames columns"
        raise BadInput(f"{what}; {' '.join(hint[:200].split())} {how}", where=where)
