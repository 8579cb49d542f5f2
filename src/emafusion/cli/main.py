"""`emafusion`: the list of verbs, and how every error ends: one line and an exit code."""

from __future__ import annotations

import difflib
import importlib
import keyword
import os
import sys

import click
from typing_extensions import override

from emafusion.cli.printable import one_line
from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.version import __version__

VERBS = {
    "serve": "start the gateway",
    "reload": "have a running gateway take over its config as it is now",
    "ask": "ask one question and show the answer",
    "explain": "show how a question would be answered, and why; calls no model",
    "dial": "find the setting for a quality, a price or the worth of an answer",
    "fit": "learn an artifact from tables of recorded answers",
    "replay": "evaluate a policy on recorded answers, by the served code",
    "judge": "say how far recorded answers can be trusted, by their recorded judges",
    "certify": "promise a share of the best model's quality, or say what it would take",
    "artifact": "what an artifact was made from, and what another one changes",
    "taxonomy": "which model did what kind of work how well",
    "import": "make a table of other people's logs and benchmarks",
    "log": "look into the log of answered requests",
    "label": "say of some answers whether they are right",
    "keys": "make, list, edit and revoke keys of the gateway's clients",
    "models": "list the pool: prices, limits, abilities, health",
    "check": "check a config file",
    "init": "write a commented config file of what is found here",
}
"""Verb -> what it does. Each is a module of this folder with a click command named `command`.

`import` is a word of Python, so its module is `import_`.
"""

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
        name = f"{cmd_name}_" if keyword.iskeyword(cmd_name) else cmd_name
        module = importlib.import_module(f"emafusion.cli.{name}")
        command: click.Command = module.command
        return command

    @override
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The verb that was called. Raises `UsageError` with the nearest one for another word."""
        if args[0] not in VERBS:
            near = difflib.get_close_matches(args[0], VERBS, n=1)
            hint = f"did you mean '{near[0]}'?" if near else "see what there is"
            raise click.UsageError(f"there is no verb '{args[0][:80]}'; {hint}", ctx)
        return super().resolve_command(ctx, args)

    @override
    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs without importing them."""
        with formatter.section("Verbs"):
            formatter.write_dl(list(VERBS.items()))


@click.group(
    cls=_Verbs,
    subcommand_metavar="VERB ...",
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Example: emafusion serve",
)
@click.version_option(__version__, prog_name="emafusion")
def program() -> None:
    """Answer every query by the cheapest models that answer it well."""


def main() -> None:
    """Run the command line; exit code 0 = done, 1 = failed, 2 = bad input, 130 = interrupted.

    A reader of the output that has gone (`| head`) ends it silently, with 1.
    """
    _open_closed_streams()
    sys.exit(_run())


def _open_closed_streams() -> None:
    """Put something where standard input, output or error is closed (`<&-`).

    Else the next file or socket that is opened would be taken for it.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(_nowhere(number), mode, encoding="utf-8"))


def _nowhere(number: int) -> int:
    """The null device under this number, which is free."""
    opened = os.open(os.devnull, os.O_RDWR)
    if opened != number:
        os.dup2(opened, number)
        os.close(opened)
    return number


def _run() -> int:
    try:
        code = program.main(prog_name="emafusion", standalone_mode=False)
        sys.stdout.flush()
    except click.ClickException as error:
        return _refuse(error)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except EmafusionError as error:
        return _tell(error)
    except BrokenPipeError:
        _drop_output()
        return FAILED
    except OSError as error:
        _complain(
            ": ".join(str(part) for part in (error.filename, error.strerror or error) if part)
        )
        _finish_output()
        return FAILED
    return code if isinstance(code, int) else 0


def _refuse(error: click.ClickException) -> int:
    """What was typed is no command."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        print(error.format_message(), file=sys.stderr)
    else:
        context = error.ctx if isinstance(error, click.UsageError) else None
        hint = "" if context is None else f" (see '{context.command_path} --help')"
        _complain(f"{error.format_message()}{hint}")
    return BAD_INPUT


def _tell(error: EmafusionError) -> int:
    if error.code == "invalid_config":
        # FILE:LINE begins the line, so that editors and terminals find the place.
        for problem in str(error).splitlines():
            print(one_line(problem), file=sys.stderr)
    else:
        _complain(str(error))
    return BAD_INPUT if isinstance(error, BadInput) else FAILED


def _complain(line: str) -> None:
    print(f"emafusion: {one_line(line)}", file=sys.stderr)


def _finish_output() -> None:
    """Write what is still buffered, or drop it where that is just what cannot be done."""
    try:
        sys.stdout.flush()
    except OSError:
        _drop_output()


def _drop_output() -> None:
    """Nobody reads any more: what is still buffered must not be tried again at the very end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
