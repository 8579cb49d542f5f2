"""Tables as CSV: a header, then a record a row; an empty field is unknown, `""` an empty text."""

from __future__ import annotations

import csv
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from typing_extensions import override

from emafusion.domain.errors import BadInput
from emafusion.tables.bad import BadRow
from emafusion.tables.batch import LONGEST, Batch, too_long
from emafusion.tables.columns import Shape
from emafusion.tables.jsonl import Pile
from emafusion.tables.lines import lines_of

_FIELD: Final = re.compile(r'("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|\Z)')


def read_csv(path: Path, shape: Shape) -> Iterator[Batch]:
    """Batches of a CSV file (commas, quotes doubled inside quotes, UTF-8)."""
    records = records_of(path)
    names = header_of(next(records, None), path)
    pile = Pile(shape, names)
    for number, record, size in records:
        what = record if isinstance(record, str) else wrong_record(record, names)
        if what is not None:
            pile.add_bad(BadRow(source=str(path), line=number, what=what))
        elif not isinstance(record, str):
            pile.add(number, dict(zip(names, record, strict=True)), size=size)
        if pile.is_full:
            yield pile.taken()
    if pile.is_begun:
        yield pile.taken()


Record = list[str | None]


def records_of(path: Path) -> Iterator[tuple[int, Record | str, int]]:
    """First line, fields (or what is wrong) and size of each record; blank lines passed over."""
    csv.field_size_limit(sys.maxsize)  # the limit is the process's, and prompts are long
    lines = _Lines(path)
    reader = csv.reader(lines, strict=True)
    while True:
        lines.begin()
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield lines.first, f"is no CSV record: {error}", lines.size
            continue
        if fields:
            yield lines.first, _known(fields, lines.text), lines.size


class _Lines(Iterator[str]):
    """The lines of a file, of which those of the record being read are remembered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lines = lines_of(path)
        self.begin()

    def begin(self) -> None:
        """A new record begins."""
        self._record: list[str] = []
        self.first = 0
        self.size = 0

    @property
    def text(self) -> str:
        """The record as it stands in the file."""
        return "".join(self._record)

    @override
    def __next__(self) -> str:
        number, line = next(self._lines)
        self.first = self.first or number
        self.size += len(line)
        if self.size > LONGEST:
            raise too_long(str(self._path), self.first)
        # What is not UTF-8 is found again by its surrogates, in the very field.
        self._record.append(line.decode("utf-8", "surrogateescape"))
        return self._record[-1]


def _known(fields: list[str], text: str) -> Record:
    """Empty fields are unknown, but for those in quotes."""
    if "" not in fields:
        return list(fields)
    quoted = [found[1] == '""' for found in _FIELD.finditer(text)] if '""' in text else []
    return [
        None if field == "" and not (i < len(quoted) and quoted[i]) else field
        for i, field in enumerate(fields)
    ]


def header_of(first: tuple[int, Record | str, int] | None, path: Path) -> list[str]:
    """Names of the columns. Raises `BadInput` for an empty file and for a name that comes twice."""
    if first is None:
        raise BadInput("is empty; a CSV table begins with the names of its columns",
                       where=str(path))  # fmt: skip
    _, record, _ = first
    if isinstance(record, str):
        raise BadInput(f"its header {record}", where=str(path))
    names = [(name or "").strip() for name in record]
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise BadInput(f"has two columns named {twice[:60]!r}", where=str(path))
    return names


def wrong_record(record: Record, names: list[str]) -> str | None:
    """What is wrong with a record: its number of fields, or a field that is not UTF-8."""
    if len(record) != len(names):
        return f"has {len(record)} fields, the header has {len(names)}"
    for name, field in zip(names, record, strict=True):
        if field is not None and not field.isascii() and not _is_utf8(field):
            return f"{name} is not UTF-8"
    return None


def _is_utf8(field: str) -> bool:
    """Whether it can be written again: bytes that were no UTF-8 are surrogates now."""
    try:
        field.encode()
    except UnicodeEncodeError:
        return False
    return True
