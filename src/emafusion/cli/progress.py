"""A progress bar on standard error for what takes more than a second."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

AFTER_S = 1.0
"""Work that is done sooner shows no bar."""


@contextmanager
def progress(told: str) -> Generator[Callable[[int, int], None], None, None]:
    """Give a function to be told (done, all); it shows a bar on a terminal once that pays."""
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(told, total=None)
    begun, shown = time.monotonic(), False

    def done(count: int, whole: int) -> None:
        nonlocal shown
        if not shown and bar.console.is_terminal and time.monotonic() - begun > AFTER_S:
            shown = True
            bar.start()
        if shown:
            bar.update(task, completed=count, total=whole)

    try:
        yield done
    finally:
        if shown:
            bar.stop()
