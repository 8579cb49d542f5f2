"""Asking a person about one answer after the other, on a terminal."""

from __future__ import annotations

from collections.abc import Iterator

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from emafusion.cli.printable import one_line, printable
from emafusion.gateway.labels.desk import Desk
from emafusion.store.feedback.question import Question

ME = "terminal"
KEYS = "[r]ight, [w]rong, [s]kip, [b]ack, w[h]y, [q]uit, or a number from 0 to 1"
WORDS = {"right": 1.0, "wrong": 0.0}
_LONG = {"r": "right", "w": "wrong", "s": "skip", "b": "back", "h": "why", "q": "quit"}
_MOST = 6_000
"""Characters of a text that are shown."""


def ask_all(console: Console, desk: Desk) -> None:
    """Ask about every answer of a draw, until nothing is left or whoever is asked has enough."""
    while (question := desk.question(ME)) is not None:
        _show(console, desk, question)
        said = _said(console, question)
        if said == "quit":
            return
        if said == "back":
            if not desk.seat(ME).done:
                click.echo("this is the first one", err=True)
            desk.back(ME)
        elif said == "skip":
            desk.skip(ME, question.decision_id)
        else:
            desk.say(ME, question.decision_id, score_in(said))


def _show(console: Console, desk: Desk, question: Question) -> None:
    count, again = desk.count(ME), desk.seat(ME).again
    place = min(count.labelled + count.skipped + (not again), count.drawn)
    told = "  again: what you say now counts instead" if again else ""
    console.print("")
    console.print(Text.assemble((f"{place} of {count.drawn}", "bold"), (told, "yellow")))
    for turn in question.before:
        _text(console, turn.role, turn.text, style="dim")
    _text(console, "question", question.prompt)
    _text(console, "answer", question.answer, style="cyan")
    console.print("")


def _text(console: Console, name: str, text: str, *, style: str = "") -> None:
    console.print("")
    console.print(Text(one_line(name), style="dim"))
    console.print(Padding(Text(_cut(text) or "(empty)", style), (0, 0, 0, 2), expand=False))


def _said(console: Console, question: Question) -> str:
    """What somebody says of it, in one word or a number; `quit` where nobody is there any more."""
    while True:
        try:
            typed = click.prompt(KEYS, prompt_suffix=": ", err=True).strip().lower()
        except click.Abort:
            click.echo("", err=True)
            return "quit"
        said = _LONG.get(typed, typed)
        if said == "why":
            for line in _why(question):
                console.print(Text(line, "dim"))
        elif said in _LONG.values() or score_in(said) >= 0.0:
            return said
        else:
            click.echo("that is none of these", err=True)


def _why(question: Question) -> Iterator[str]:
    by = one_line(question.model or "several models together")
    sure = "" if question.confidence is None else f", confidence {question.confidence:.2f}"
    yield f"{question.decision_id}: by {by} (route {question.route}{sure})"
    if question.reason:
        yield f"because {one_line(question.reason)}"
    yield f"drawn with a chance of {question.propensity:.0%}"


def score_in(said: str) -> float:
    """The score that a word or a number means; below 0 for what is neither.

    >>> score_in("right"), score_in("0.5"), score_in("2"), score_in("perhaps")
    (1.0, 0.5, -1.0, -1.0)
    """
    try:
        score = WORDS[said] if said in WORDS else float(said)
    except ValueError:
        return -1.0
    return score if 0.0 <= score <= 1.0 else -1.0


def _cut(text: str) -> str:
    plain = printable(text)
    return plain if len(plain) <= _MOST else f"{plain[:_MOST]} ... ({len(plain):,} characters)"
