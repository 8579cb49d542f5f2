"""The log as a table: a request a line, newest first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from emafusion.cli.moment import shown
from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.store.record import OutcomeRow

WIDE = 110
"""Columns of a terminal from which on everything is shown."""

SHORT_ID = 6
"""Characters at the end of an id that are shown; `emafusion log` finds a decision by them."""

_WIDE = {
    "id": SHORT_ID,
    "time": 12,
    "model": 24,
    "route": 9,
    "looks": 5,
    "conf": 4,
    "cost": 10,
    "saved": 10,
    "took": 7,
}
_NARROW = {"id": SHORT_ID, "time": 8, "model": 14, "conf": 4, "cost": 9, "took": 7}
_RIGHT = {"looks", "conf", "cost", "saved", "took"}


def show_rows(
    console: Console, rows: Iterable[OutcomeRow], *, now: datetime, header: bool = True
) -> None:
    """Print rows in columns of fixed width, so that more can follow under them."""
    widths = _WIDE if console.width >= WIDE else _NARROW
    table = Table(box=None, pad_edge=False, header_style="dim", show_header=header, expand=True)
    for name, width in widths.items():
        justify: JustifyMethod = "right" if name in _RIGHT else "left"
        table.add_column(name, width=width, no_wrap=True, overflow="ellipsis", justify=justify)
    table.add_column("prompt", ratio=1, no_wrap=True, overflow="ellipsis")
    for row in rows:
        cells = _cells(row, now, time_width=widths["time"])
        table.add_row(*(cells[name] for name in widths), _prompt(row))
    console.print(table)


def _cells(row: OutcomeRow, now: datetime, *, time_width: int) -> dict[str, Text]:
    return {
        "id": Text(row.decision_id[-SHORT_ID:], style="cyan"),
        "time": Text(shown(row.created_at, now=now, width=time_width), style="dim"),
        "model": _model(row),
        "route": Text(row.route),
        "looks": Text(str(row.looks), style="yellow" if row.escalated else ""),
        "conf": Text("-" if row.confidence is None else f"{row.confidence:.2f}"),
        "cost": Text("-" if row.cost_usd is None else dollars(row.cost_usd)),
        "saved": Text("-" if row.saved_usd is None else signed_dollars(row.saved_usd)),
        "took": Text(f"{row.latency_s:.2f} s"),
    }


def _prompt(row: OutcomeRow) -> Text:
    return Text("(hashed)" if row.opening is None else one_line(row.opening), style="dim")


def _model(row: OutcomeRow) -> Text:
    """Who answered; where nobody did, why."""
    if row.status >= 400:
        return Text(f"{row.status} {row.failure or 'refused'}", style="red")
    return Text(one_line(row.candidate or "several, fused"))


def signed_dollars(usd: float) -> str:
    """A difference in dollars.

    >>> signed_dollars(-0.25), signed_dollars(0.5)
    ('-$0.25', '$0.5')
    """
    return f"-{dollars(-usd)}" if usd < 0 else dollars(usd)
