"""The command line, a verb a file; `main` is the `emafusion` command."""

from emafusion.cli.main import main

__all__ = ["main"]
