"""Classes against models: as a table where it fits, as the best of each class, as rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator
from math import isnan

from msgspec import Struct, structs
from rich.console import Console
from rich.table import Table

from emafusion.cli.plain_table import UNKNOWN, cell, plain_table, show_prose
from emafusion.cli.printable import one_line
from emafusion.cli.screen import show
from emafusion.lab.class_tables import ClassTable

BEST = 3
"""Models of each class that are shown unless all are asked for."""

WHOLE = {
    "score": "Mean score by {}.",
    "gain": "By {}: points of the score that are due to the class.",
}
RANKED = {
    "score": WHOLE["score"],
    "gain": "By {}: score expected at average difficulty, and points of it due to the class.",
}
"""What is in a table, above it: whole, or as the best of each class."""


class Row(Struct, frozen=True, kw_only=True):
    """One class and model for other programs; None is unknown.

    `classes`: kind of the class; `score`: mean, 0..1; `expected`: score of a query of average
    difficulty, 0..1, of which `gain` is due to the class.
    """

    classes: str
    name: str
    model: str
    score: float | None
    expected: float | None
    gain: float | None
    outcomes: float | None


def show_table(console: Console, table: ClassTable, *, everything: bool) -> None:
    """Print a table: whole where it fits the screen, else models below each other."""
    if _width(table) <= console.width:
        show_prose(console, WHOLE[table.holds].format(table.name), style="bold")
        show(console, _matrix(table))
        return
    show_prose(console, RANKED[table.holds].format(table.name), style="bold")
    show(console, _ranking(table, everything=everything))
    if not everything and len(table.models) > BEST:
        told = f"The best {BEST} of {len(table.models)} models in each; --all shows every one."
        show_prose(console, told, style="dim")


def rows_of(tables: Iterable[ClassTable]) -> Iterator[Row]:
    """Every class and model of every table."""
    for table in tables:
        for i, name in enumerate(table.classes):
            for k, model in enumerate(table.models):
                is_score = table.holds == "score"
                value = _known(table.values[i, k])
                yield Row(
                    classes=table.name,
                    name=name,
                    model=model,
                    score=value if is_score else None,
                    expected=None if is_score else _known(table.expected[i, k]),
                    gain=None if is_score else value,
                    outcomes=_known(table.outcomes[i, k]),
                )


def csv_text(tables: Iterable[ClassTable]) -> str:
    """The same as CSV with a header."""
    out = io.StringIO()
    written = csv.writer(out, lineterminator="\n")
    written.writerow(Row.__struct_fields__)
    written.writerows(structs.astuple(row) for row in rows_of(tables))
    return out.getvalue()


def _width(table: ClassTable) -> int:
    """Columns that the whole table takes."""
    widest = max(len(one_line(name)) for name in table.classes)
    cells = (
        max(len(one_line(model)), *(len(_both(table, i, k)) for i in range(len(table.classes))))
        for k, model in enumerate(table.models)
    )
    return widest + sum(width + 2 for width in cells)


def _matrix(table: ClassTable) -> Table:
    shown = plain_table((table.name,), [one_line(model) for model in table.models])
    for i, name in enumerate(table.classes):
        shown.add_row(cell(name), *(_both(table, i, k) for k in range(len(table.models))))
    return shown


def _ranking(table: ClassTable, *, everything: bool) -> Table:
    is_score = table.holds == "score"
    columns = ("score", "outcomes") if is_score else ("expected", "points", "outcomes")
    shown = plain_table((table.name, "model"), columns)
    for i, name in enumerate(table.classes):
        best = [k for k in table.ranked(i) if not isnan(table.values[i, k])][:BEST]
        for place, k in enumerate(table.ranked(i) if everything else best):
            heading = "" if place else name
            points = () if is_score else (_points(table.values[i, k]),)
            told = _share(table.expected[i, k]), *points, _count(table, i, k)
            shown.add_row(cell(heading), cell(table.models[k]), *told)
    return shown


def _both(table: ClassTable, i: int, k: int) -> str:
    """A value with the outcomes behind it, where it and they are known."""
    count = _count(table, i, k)
    value = table.values[i, k]
    told = _share(value) if table.holds == "score" else _points(value)
    return told if UNKNOWN in {told, count} else f"{told} ({count})"


def _share(value: float) -> str:
    return UNKNOWN if isnan(value) else f"{value:.1%}"


def _points(value: float) -> str:
    return UNKNOWN if isnan(value) else f"{100 * value:+.1f}"


def _count(table: ClassTable, i: int, k: int) -> str:
    count = _known(table.outcomes[i, k])
    return UNKNOWN if count is None else f"{count:,.0f}"


def _known(value: float) -> float | None:
    """To four digits; None for NaN."""
    return None if isnan(value) else round(float(value), 4)
