"""Where results are printed: the terminal as wide as it is, a pipe wide enough for a table."""

from __future__ import annotations

from rich.console import Console

PIPE_WIDTH = 160
"""Columns where the output is no terminal."""


def screen() -> Console:
    """Standard output; colours only on a terminal, and only what we colour ourselves."""
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = PIPE_WIDTH
    return console
