"""Asking a person about one answer, on a terminal."""

from __future__ import annotations

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from emafusion.cli.label_choice import Choice
from emafusion.cli.printable import printable

SKIPPED = -1.0
KEYS = "[r]ight, [w]rong, [s]kip, [q]uit, or a number from 0 to 1"
_SCORES = {"r": 1.0, "right": 1.0, "w": 0.0, "wrong": 0.0, "s": SKIPPED, "skip": SKIPPED}
_MOST = 6_000
"""Characters of a text that are shown."""


def ask_about(console: Console, choice: Choice, place: str) -> float | None:
    """Show a question and its answer, and ask: 0..1, below 0 to skip it, None to stop."""
    told = choice.told
    by = told.model or "several models together"
    console.print("")
    console.print(Text.assemble((place, "bold"), "  ", (f"{told.decision_id}  {by}", "dim")))
    console.print(Padding(Text(_cut(told.prompt)), (1, 0, 1, 2)))
    console.print(Padding(Text(_cut(told.answer), "cyan"), (0, 0, 1, 2)))
    while True:
        try:
            said = click.prompt(KEYS, prompt_suffix=": ", err=True).strip().lower()
        except click.Abort:
            return None
        if said in {"q", "quit"}:
            return None
        score = _SCORES[said] if said in _SCORES else _number(said)
        if score is not None:
            return score


def _number(said: str) -> float | None:
    try:
        score = float(said)
    except ValueError:
        return None
    return score if 0.0 <= score <= 1.0 else None


def _cut(text: str) -> str:
    plain = printable(text)
    return plain if len(plain) <= _MOST else f"{plain[:_MOST]} ... ({len(plain):,} characters)"
