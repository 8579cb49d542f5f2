"""`emafusion`: the list of verbs, and how every error ends: one line and an exit code."""

from __future__ import annotations

import importlib
import sys

import click
from typing_extensions import override

from emafusion import __version__
from emafusion.domain.errors import BadInput, EmafusionError

VERBS = {
    "serve": "start the gateway",
    "ask": "ask one question and show the answer",
    "explain": "show how a question would be answered, and why; calls no model",
    "log": "look into the log of answered requests",
    "models": "list the pool: prices, limits, abilities, health",
    "check": "check a config file",
    "init": "write a commented config file of what is found here",
}
"""Verb -> what it does. Each is a module of this folder with a click command named `command`."""

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130


class _Verbs(click.Group):
    """Imports a verb only when it is called: `--help` must not load the gateway."""

    @override
    def list_commands(self, ctx: click.Context) -> list[str]:
        """Verbs in the order of the table."""
        return list(VERBS)

    @override
    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The verb's own command; None for an unknown name."""
        if cmd_name not in VERBS:
            return None
        module = importlib.import_module(f"emafusion.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: emafusion serve",
)
@click.version_option(__version__, prog_name="emafusion")
def program() -> None:
    """Answer every query by the cheapest models that answer it well."""


def main() -> None:
    """Run the command line; exit code 0 = done, 1 = failed, 2 = bad input, 130 = interrupted."""
    sys.exit(_run())


def _run() -> int:
    try:
        code = program.main(standalone_mode=False)
    except click.ClickException as error:
        _complain(error.format_message(), hint=_usage(error))
        return BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except EmafusionError as error:
        _complain(str(error))
        return BAD_INPUT if isinstance(error, BadInput) else FAILED
    return code if isinstance(code, int) else 0


def _usage(error: click.ClickException) -> str:
    context = error.ctx if isinstance(error, click.UsageError) else None
    return "" if context is None else f" (see '{context.command_path} --help')"


def _complain(line: str, hint: str = "") -> None:
    print(f"emafusion: {line}{hint}", file=sys.stderr)
