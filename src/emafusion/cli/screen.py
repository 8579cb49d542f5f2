"""Where results are printed: the terminal as wide as it is, a pipe wide enough for a table."""

from __future__ import annotations

import os

from rich.console import Console, RenderableType
from rich.text import Text

PIPE_WIDTH = 160
"""Columns where the output is no terminal."""

PROSE_WIDTH = 96
"""Columns that sentences are given at most."""


def screen(*, stderr: bool = False) -> Console:
    """Standard output (or error); colours only on a terminal, and only what we colour ourselves.

    `COLUMNS` in the environment sets the width, where that is said.
    """
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal and not os.environ.get("COLUMNS"):
        console.width = PIPE_WIDTH
    return console


def show(console: Console, what: RenderableType, *, width: int | None = None) -> None:
    """Print without the spaces that rich leaves at the ends of lines, at once.

    `width`: columns to use at most, where the screen has more. Raises `BrokenPipeError` where
    nobody reads any more.
    """
    with console.capture() as captured:
        console.print(what, width=None if width is None else min(width, console.width))
    lines = captured.get().split("\n")
    console.file.write("\n".join(line.rstrip(" ") for line in lines))
    console.file.flush()


def say(console: Console, line: str = "", *, style: str = "") -> None:
    """Print a text that is not to be wrapped: a command, an address, code to be copied."""
    console.print(Text(line, style=style), soft_wrap=True)
