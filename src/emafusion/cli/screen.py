"""Where results are printed: the terminal as wide as it is, a pipe wide enough for a table."""

from __future__ import annotations

from rich.console import Console, RenderableType

PIPE_WIDTH = 160
"""Columns where the output is no terminal."""


def screen(*, stderr: bool = False) -> Console:
    """Standard output (or error); colours only on a terminal, and only what we colour ourselves."""
    console = Console(stderr=stderr, highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console


def show(console: Console, what: RenderableType = "") -> None:
    """Print without the spaces that rich leaves at the ends of lines, at once.

    Raises `BrokenPipeError` where nobody reads any more.
    """
    with console.capture() as captured:
        console.print(what)
    lines = captured.get().split("\n")
    console.file.write("\n".join(line.rstrip(" ") for line in lines))
    console.file.flush()
