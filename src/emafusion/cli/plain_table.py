"""Tables without lines, and lists that end early and say so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from emafusion.cli.printable import one_line, printable
from emafusion.cli.screen import PROSE_WIDTH, show

UNKNOWN = "-"
_Item = TypeVar("_Item")


def plain_table(text: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    """A table with columns of text on the left and of numbers on the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for name in text:
        table.add_column(name, overflow="fold")
    for name in numbers:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def cell(text: str) -> Text:
    """A text of others as a cell: no markup, one line."""
    return Text(one_line(text))


def first(items: Sequence[_Item], most: int, *, everything: bool) -> Sequence[_Item]:
    """As many as are shown."""
    return items if everything else items[:most]


def show_rest(console: Console, shown: int, total: int) -> None:
    """Say how many are not shown."""
    if shown < total:
        show(console, Text(f"{total - shown:,} more: --all", style="dim"))


def show_prose(console: Console, line: str, *, style: str = "") -> None:
    """A sentence, wrapped."""
    show(console, Text(printable(line), style=style), width=PROSE_WIDTH)


def number(value: float | None) -> str:
    """A measured number, as short as it can be read.

    >>> number(0.73562), number(7.0), number(-1234.5), number(None)
    ('0.7356', '7', '-1,234.5', '-')
    """
    if value is None:
        return UNKNOWN
    return f"{value:,.4f}".rstrip("0").rstrip(".")
