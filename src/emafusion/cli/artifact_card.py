"""An artifact's card as a person reads it."""

from __future__ import annotations

from collections.abc import Iterator

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
from emafusion.lab.describing import Description, Held, Known
from emafusion.store.artifact import Card, Source

MOST = 12
"""Figures and models that are shown unless all are asked for."""

SHORT = 12
"""Digits of a hash that tell it from others."""


def show_card(console: Console, told: Description, *, everything: bool = False) -> None:
    """Print what an artifact is, then its sources, figures, models and size."""
    card = told.card
    show_prose(console, card.title, style="bold")
    show(console, _facts(told))
    for caveat in card.caveats:
        show_prose(console, f"- {caveat}")
    if told.refused is not None:
        show_prose(console, f"This version cannot serve it: {told.refused}")
    _show_sources(console, card.sources)
    _show_figures(console, card.figures, everything=everything)
    _show_models(console, told.models, everything=everything)
    if everything:
        _show_arrays(console, told.arrays)


def _facts(told: Description) -> Table:
    table = plain_table(("", ""))
    table.show_header = False
    for name, value in _named(told.card):
        table.add_row(name, cell(value))
    size = sum(held.bytes for held in told.arrays)
    table.add_row("arrays", f"{len(told.arrays)}, {size / 1e6:,.1f} MB in memory")
    table.add_row("digest", told.digest)
    return table


def _named(card: Card) -> Iterator[tuple[str, str]]:
    """What the card says in one line each, as far as it does."""
    yield "made", f"{card.created} by emafusion {card.version}, seed {card.seed}"
    made_with = ", ".join(f"{name} {version}" for name, version in card.made_with.items())
    datasets = ", ".join(f"{name} {count:,}" for name, count in card.datasets.items())
    said = (
        ("with", made_with), ("labels", card.labels), ("encoder", card.encoder),
        ("learned by", card.learned), ("data sets", datasets),
        ("folds", card.folds),
    )  # fmt: skip
    yield from ((name, value) for name, value in said if value)


def _show_sources(console: Console, sources: tuple[Source, ...]) -> None:
    table = plain_table(("source", "licence"), ("rows", "queries", "sha256"))
    for each in sources:
        counts = f"{each.rows:,}", f"{each.queries:,}"
        table.add_row(cell(each.name), cell(each.licence), *counts, cell(each.sha256[:SHORT]))
    _show(console, table, shown=len(sources), total=len(sources))


def _show_figures(console: Console, figures: dict[str, float], *, everything: bool) -> None:
    shown = first(tuple(figures.items()), MOST, everything=everything)
    table = plain_table(("figure",), ("value",))
    for name, value in shown:
        table.add_row(cell(name), number(value))
    _show(console, table, shown=len(shown), total=len(figures))


def _show_models(console: Console, models: tuple[Known, ...], *, everything: bool) -> None:
    shown = first(models, MOST, everything=everything)
    table = plain_table(("model",), ("ability", "± sd", "outcomes"))
    for each in shown:
        spread = number(round(each.ability_sd, 2)) if each.outcomes else UNKNOWN
        table.add_row(cell(each.model), f"{each.ability:+.2f}", spread, f"{each.outcomes:,.0f}")
    _show(console, table, shown=len(shown), total=len(models))


def _show_arrays(console: Console, arrays: tuple[Held, ...]) -> None:
    table = plain_table(("array", "type"), ("shape", "kB"))
    for each in arrays:
        shape = " x ".join(str(size) for size in each.shape)
        table.add_row(cell(each.name), each.type, shape, f"{each.bytes / 1e3:,.1f}")
    _show(console, table, shown=len(arrays), total=len(arrays))


def _show(console: Console, table: Table, *, shown: int, total: int) -> None:
    """Print a table that has rows, after an empty line."""
    if total:
        console.print("")
        show(console, table)
        show_rest(console, shown, total)
