"""Tables as JSON Lines: an object a row, cells of any type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TypeAlias

import msgspec

from emafusion.domain.errors import BadInput
from emafusion.tables.bad import BadRow
from emafusion.tables.batch import BYTES, ROWS, Batch, series_of
from emafusion.tables.columns import Shape
from emafusion.tables.json_kinds import is_object
from emafusion.tables.lines import lines_of

Fields: TypeAlias = dict[str, object]


def read_jsonl(path: Path, shape: Shape) -> Iterator[Batch]:
    """Batches of a JSONL file; blank lines are passed over."""
    pile = Pile(shape)
    for number, line in lines_of(path):
        if not line.strip():
            continue
        read = fields_of(line)
        if isinstance(read, str):
            _refuse_array(line, number, path)
            pile.add_bad(BadRow(source=str(path), line=number, what=read))
        else:
            pile.add(number, read, size=len(line))
        if pile.is_full:
            yield pile.taken()
    if pile.is_begun:
        yield pile.taken()


def fields_of(line: bytes) -> Fields | str:
    """The object of a line, or what is wrong with it.

    >>> fields_of(b'{"score": 1}'), fields_of(b"[1]")
    ({'score': 1}, 'is no JSON object, which a row must be')
    """
    try:
        # Of the strings that are skipped too: what is not UTF-8 is no JSON.
        read: object = msgspec.json.decode(line.decode())
    except UnicodeDecodeError as error:
        return f"is not UTF-8 (byte {error.start})"
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        hint = "; NaN and Infinity are not JSON, an unknown number is null"
        odd = b"NaN" in line or b"Infinity" in line
        return f"is not JSON: {str(error)[:120]}{hint if odd else ''}"
    if not is_object(read):
        return "is no JSON object, which a row must be"
    return {str(name): value for name, value in read.items()}


class Pile:
    """Rows given one by one, taken as batches. `names`: columns that each row has anyway."""

    def __init__(self, shape: Shape, names: Collection[str] = ()) -> None:
        self._columns = shape.columns
        self._always = names
        self._empty()

    def add(self, line: int, row: Fields, *, size: int = 0) -> None:
        """A row, where it stands in its file, and its bytes."""
        self._rows.append(row)
        self._lines.append(line)
        self._names.update(row)
        self._size += size

    def add_bad(self, row: BadRow) -> None:
        """A row that cannot be read."""
        self._bad.append(row)

    def leave_out(self, what: str) -> None:
        """Something that is no row."""
        self._left_out[what] += 1

    @property
    def is_begun(self) -> bool:
        """Whether there is anything to take."""
        return bool(self._rows or self._bad or self._left_out)

    @property
    def is_full(self) -> bool:
        """Whether a batch should be taken now."""
        return len(self._rows) + len(self._bad) >= ROWS or self._size >= BYTES

    def taken(self) -> Batch:
        """What is there, as a batch; the pile is empty then."""
        import polars as pl

        rows = self._rows
        columns = {
            column.name: series_of(column, [row.get(column.name) for row in rows])
            for column in self._columns
            if column.name in self._names
        }
        batch = Batch(
            columns=columns,
            lines=pl.Series(self._lines, dtype=pl.Int64),
            names=frozenset(self._names),
            bad=tuple(self._bad),
            left_out=self._left_out,
        )
        self._empty()
        return batch

    def _empty(self) -> None:
        self._rows: list[Fields] = []
        self._lines: list[int] = []
        self._names = set(self._always)
        self._bad: list[BadRow] = []
        self._left_out: Counter[str] = Counter()
        self._size = 0


def _refuse_array(line: bytes, number: int, path: Path) -> None:
    if number == 1 and line.lstrip().startswith(b"["):
        what = "is one JSON array; a table has an object a line: jq -c '.[]' FILE makes it one"
        raise BadInput(what, where=str(path))
