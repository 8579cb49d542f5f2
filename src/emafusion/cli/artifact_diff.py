"""What one artifact changes against another, as a person reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from rich.console import Console
from rich.table import Table

from emafusion.cli.plain_table import (
    UNKNOWN,
    cell,
    first,
    number,
    plain_table,
    show_prose,
    show_rest,
)
from emafusion.cli.screen import show
from emafusion.lab.comparing import Cell, Difference, Moved, Pair
from emafusion.lab.deciding import Decisions, Move

MOST = 10
"""Rows of each table that are shown unless all are asked for."""

_Row = TypeVar("_Row")


def show_difference(console: Console, told: Difference, *, everything: bool = False) -> None:
    """Print what changes, decisions first: they are what it is about."""
    for line in _lines(told):
        show_prose(console, line)
    moves = () if told.decisions is None else told.decisions.moves
    _show(console, _moves, moves, everything=everything)
    figures = [each for each in told.figures if everything or each.before != each.after]
    _show(console, _figures, figures, everything=everything)
    abilities = [each for each in told.abilities if everything or each.change]
    _show(console, _abilities, abilities, everything=everything)
    scores = [each for each in told.scores if everything or each.change]
    _show(console, _scores, scores, everything=everything)


def _show(
    console: Console,
    make: Callable[[Sequence[_Row]], Table],
    rows: Sequence[_Row],
    *,
    everything: bool,
) -> None:
    """Print a table that has rows, after an empty line."""
    shown = first(rows, MOST, everything=everything)
    if shown:
        console.print("")
        show(console, make(shown))
        show_rest(console, len(shown), len(rows))


def _lines(told: Difference) -> Iterator[str]:
    if told.before == told.after:
        yield f"The same arrays ({told.after})."
        return
    yield f"From {told.before} to {told.after}: {len(told.common):,} models in common."
    if told.added:
        yield f"Added: {_few(told.added)}."
    if told.removed:
        yield f"Removed: {_few(told.removed)}."
    yield _decided(told.decisions, told.undecided)


def _decided(decisions: Decisions | None, undecided: str | None) -> str:
    if decisions is None:
        return f"Decisions cannot be compared: {undecided}."
    share = decisions.changed / decisions.queries
    return (
        f"{decisions.changed:,} of {decisions.queries:,} reference queries ({share:.0%}) would be "
        f"asked of another model first at quality_weight {decisions.quality_weight:g}."
    )


def _few(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return f"{', '.join(names[:MOST])}{more}"


def _moves(moves: Sequence[Move]) -> Table:
    table = plain_table(("asked first before", "now"), ("queries",))
    for each in moves:
        table.add_row(cell(each.before), cell(each.after), f"{each.queries:,}")
    return table


def _figures(pairs: Sequence[Pair]) -> Table:
    table = plain_table(("figure",), ("before", "after", "change"))
    for each in pairs:
        known = each.before is not None and each.after is not None
        change = (each.after or 0.0) - (each.before or 0.0) if known else None
        told = UNKNOWN if change is None else f"{change:+.4g}"
        table.add_row(cell(each.name), number(each.before), number(each.after), told)
    return table


def _abilities(moved: Sequence[Moved]) -> Table:
    table = plain_table(("model",), ("ability before", "after", "change"))
    for each in moved:
        table.add_row(
            cell(each.model), f"{each.before:+.2f}", f"{each.after:+.2f}", f"{each.change:+.2f}"
        )
    return table


def _scores(cells: Sequence[Cell]) -> Table:
    table = plain_table(("data set", "model"), ("score before", "after", "points"))
    for each in cells:
        table.add_row(
            cell(each.dataset or "all"),
            cell(each.model),
            f"{each.before:.1%}",
            f"{each.after:.1%}",
            f"{100 * each.change:+.1f}",
        )
    return table
