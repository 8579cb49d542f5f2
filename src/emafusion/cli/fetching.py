"""Fetching the embedded weights, and how far it has come."""

from __future__ import annotations

from collections.abc import Mapping

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from emafusion.upstream.local.weights import Stage, fetch_embedded, models_dir


def fetch(env: Mapping[str, str]) -> None:
    """Fetch and prepare the weights unless they are there; prints where they are.

    Raises `WeightsError` with one line that says what to do.
    """
    console = Console(stderr=True, highlight=False)
    follow = _bar if console.is_terminal else _lines
    click.echo(f"embedded model: {follow(console, env)}")


def _bar(console: Console, env: Mapping[str, str]) -> str:
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%")
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("embedded model", total=None)

        def tell(stage: Stage, done: int, of: int) -> None:
            # The downloader does not say how far it is: the bar moves to and fro until it does.
            total = of if done else None
            bar.update(task, description=f"embedded model: {stage}", completed=done, total=total)

        return str(fetch_embedded(models_dir(env), progress=tell))


def _lines(console: Console, env: Mapping[str, str]) -> str:
    """A line for each stage, where a bar would fill a file."""
    told: list[Stage] = []

    def tell(stage: Stage, _done: int, _of: int) -> None:
        if stage not in told:
            told.append(stage)
            console.print(f"embedded model: {stage} ...")

    return str(fetch_embedded(models_dir(env), progress=tell))
