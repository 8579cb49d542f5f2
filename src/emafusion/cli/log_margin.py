"""Lines with a name in the margin."""

from __future__ import annotations

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from emafusion.cli.printable import printable
from emafusion.cli.screen import show

MARGIN = 11


def show_line(console: Console, name: str, told: str, *, style: str = "") -> None:
    """Print a name and, beside it, a text that may be long."""
    show_beside(console, name, Text(printable(told), style=style))


def show_beside(console: Console, name: str, told: RenderableType) -> None:
    """Print a name and, beside it, a table or a text."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(width=MARGIN - 1, style="dim")
    grid.add_column(overflow="fold")
    grid.add_row(name, told)
    show(console, grid)
