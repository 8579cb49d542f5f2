"""Fetching the embedded weights, with a bar that shows how far it has come."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from emafusion.upstream.local.weights import fetch_embedded, models_dir


def fetch(env: Mapping[str, str]) -> None:
    """Fetch and prepare the weights unless they are there; says where they are."""
    errors = Console(stderr=True, highlight=False)
    columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:>3.0f}%")
    with Progress(*columns, console=errors, transient=True) as bar:
        task = bar.add_task("looking", total=1)

        def show(stage: str, done: int, total: int) -> None:
            bar.update(task, description=f"embedded model: {stage}", completed=done, total=total)

        path = fetch_embedded(models_dir(env), progress=show)
    errors.print(f"embedded model: {path}")
