"""How each confidence came about, as a table: the same for a decision of now and one of the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.table import Table
from rich.text import Text

from emafusion.cli.money import dollars
from emafusion.cli.printable import one_line
from emafusion.domain.evidence import Signal
from emafusion.domain.outcome import RELATIVE
from emafusion.store.record import SignalRecord

NAMES = {
    "predicted": "predicted quality",
    "unread": "nothing to compare",
    "alike": "equal answers",
    "rivals": "other answers",
}
"""Signals that are no judge's, in words."""


def told_sure(confidence: float | None, tags: Sequence[tuple[str, str]]) -> str:
    """How sure it is of an answer, to stand after who gave it; empty where nobody judged.

    >>> told_sure(0.814, ()), told_sure(0.814, (RELATIVE,))
    (', confidence 0.81', ', relative confidence 0.81')
    """
    if confidence is None:
        return ""
    return f", {'relative ' if RELATIVE in tags else ''}confidence {confidence:.2f}"


def judges_told(signals: Sequence[Signal | SignalRecord], names: Sequence[str]) -> Iterator[str]:
    """For each answer that model judges read: how many, and how many that err apart they are worth.

    `names`: of the candidates, by place of the attempt.
    """
    heard: dict[int, list[float]] = {}
    for each in signals:
        if each.effective is not None:
            heard.setdefault(each.attempt, []).append(each.effective)
    for attempt, worth in heard.items():
        name = one_line(names[attempt]) if 0 <= attempt < len(names) else "an answer"
        judges = "1 model judge" if len(worth) == 1 else f"{len(worth)} model judges"
        yield f"{judges} read {name}, worth {worth[-1]:.1f} that err apart"


def signals_table(signals: Sequence[Signal | SignalRecord], names: Sequence[str]) -> Table:
    """A row for each signal: what it says, what it weighs, and the probability around it.

    `names`: of the candidates, by place of the attempt.
    """
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("answer of", "signal", "says", "weighs", "before", "after", "cost"):
        table.add_column(name, justify="left" if name in {"answer of", "signal"} else "right")
    last = -1
    for each in signals:
        name = names[each.attempt] if 0 <= each.attempt < len(names) else ""
        table.add_row(
            Text(one_line(name) if each.attempt != last else ""),
            Text(one_line(NAMES.get(each.name, each.name))),
            "abstains" if each.value is None else f"{each.value:.2f}",
            f"{each.weight:.2f}",
            f"{each.before:.3f}",
            f"{each.after:.3f}",
            dollars(each.cost_usd) if each.cost_usd != 0 else "",
        )
        last = each.attempt
    return table
