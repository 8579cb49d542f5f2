"""Imports a source in a test, and looks at what came of it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from emafusion.tables.importing.found import Wish
from emafusion.tables.importing.kinds import KINDS
from emafusion.tables.importing.run import Imported, Request, import_table
from emafusion.tables.read import read_judges, read_outcomes

Cells = Mapping[str, object]


class Import:
    """One import into a folder; `rows` as the table reads, without what is null."""

    def __init__(
        self,
        folder: Path,
        kind: str,
        *sources: Path,
        wish: Wish | None = None,
        skip_bad: bool = False,
    ) -> None:
        out, judges = folder / "out.parquet", folder / "judges.parquet"
        self.done: Imported = import_table(
            Request(
                importer=KINDS[kind].importer,
                sources=sources,
                out=out,
                judges_out=judges,
                wish=wish or Wish(),
                skip_bad=skip_bad,
            )
        )
        self.rows = [_known(row) for row in read_outcomes([out]).frame.to_dicts()]
        graded = self.done.grades is not None and self.done.grades.rows
        grades = read_judges([judges]).frame.to_dicts() if graded else []
        self.grades = [_known(row) for row in grades]


def put(path: Path, value: object) -> Path:
    """Write JSON into a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def put_lines(path: Path, values: Sequence[object]) -> Path:
    """Write JSON Lines into a file, and the folders above it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{json.dumps(value)}\n" for value in values), encoding="utf-8")
    return path


def _known(row: Cells) -> Cells:
    return {name: value for name, value in row.items() if value is not None}
