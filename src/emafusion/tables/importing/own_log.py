"""The gateway's own log: the same as reading it as a table, with the grades of judges beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.log import calls_in, size_of


def import_log(sources: Sequence[Path], _wish: Wish) -> Iterator[Found]:
    """One row for each answer in each log, newest request first."""
    for path in sources:
        for number, call in enumerate(calls_in(path), start=1):
            size = 0 if call.row is None else size_of(call.row)
            place = Found(source=str(path), line=number, unit="call", size=size)
            yield place.being(row=call.row, grades=call.grades, left_out=call.left_out)
