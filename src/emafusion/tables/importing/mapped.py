"""Any table, by a list of which column is which: `--map query_id=id --map model=request.model`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from emafusion.domain.errors import BadInput
from emafusion.tables.columns import JUDGES, OUTCOMES
from emafusion.tables.importing.foreign import files_of, foreign_rows
from emafusion.tables.importing.found import Found, Wish
from emafusion.tables.importing.reach import reach
from emafusion.tables.jsonl import Fields
from emafusion.tables.source import refuse_missing

OURS: Final = frozenset({*OUTCOMES.names, *JUDGES.names})
ENDINGS: Final = (".jsonl", ".ndjson", ".jsonl.gz", ".parquet", ".csv", ".json")


def import_mapped(sources: Sequence[Path], wish: Wish) -> Iterator[Found]:
    """One row for each of theirs; a column that has our name already need not be mapped."""
    for path in files_of(sources, *ENDINGS):
        seen: set[str] = set()
        names: set[str] = set()
        for each in foreign_rows(path):
            place = each.place(path)
            if isinstance(each.fields, str):
                yield place.being(wrong=each.fields)
                continue
            names.update(each.fields)
            cells = cells_of(each.fields, wish, seen)
            grades = (cells,) if cells.get("judge") is not None else ()
            yield place.being(row=cells, grades=grades)
        for ours, theirs in wish.columns.items():
            if ours not in seen:
                raise BadInput(f"no row has '{theirs}', which --map gives for {ours}",
                               where=str(path))  # fmt: skip
        if names:
            given = names | set(wish.columns)
            given |= {"model"} if wish.model else set[str]()
            refuse_missing(given, OUTCOMES, where=str(path))


def cells_of(fields: Fields, wish: Wish, seen: set[str]) -> Fields:
    """A row by our names. `seen`: names whose mapped column was there, added to."""
    cells: Fields = {name: value for name, value in fields.items() if name in OURS}
    for ours, theirs in wish.columns.items():
        if theirs in fields:
            cells[ours] = fields[theirs]
            seen.add(ours)
            continue
        steps = [int(step) if step.isdigit() else step for step in theirs.split(".")]
        cells[ours] = reach(fields, *steps)
        if cells[ours] is not None:
            seen.add(ours)
    if wish.model is not None and cells.get("model") is None:
        cells["model"] = wish.model
    return cells
