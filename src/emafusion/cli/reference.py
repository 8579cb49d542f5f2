"""Reference page of the command line, made from the commands themselves."""

from __future__ import annotations

from collections.abc import Iterator

import click

from emafusion.cli.main import VERBS, program

WIDTH = 96

_INTRO = """\
# Command line

    emafusion VERB [OPTIONS]

| exit code | means |
| --- | --- |
| 0 | done |
| 1 | failed: something that is needed is absent, a model did not answer, the output was not read |
| 2 | bad input: a mistake in what was typed, or in a file that was named |
| 130 | interrupted (Ctrl-C) |

Results are on standard output and nothing else is; everything that is told besides is on standard
error. A mistake is one line that says what is wrong, where, and what would be right. `--json`
prints results for other programs. Colours and spinners are for terminals only; `NO_COLOR` is
honoured, `COLUMNS` sets the width of tables. Without `--config` a verb takes `emafusion.yaml` in
the current folder; without that a pool is found in the environment.

| variable | means |
| --- | --- |
| `EMAFUSION_HOME` | folder of the log and of local weights, else `~/.local/share/emafusion` |
| `EMAFUSION_KEYS` | keys of clients, separated by commas, beside `emafusion keys` |
| `EMAFUSION_ADMIN_TOKEN` | what the admin API asks for: [keys.md](keys.md#the-admin-api) |
| `OPENAI_API_KEY` and others | keys of providers: [config.md](config.md#providers) |

This page is made from the commands by `scripts/docs`.
"""


def reference() -> str:
    """Markdown of the page: each verb with its help as it is printed."""
    return "\n".join([_INTRO, *_verbs()])


def _verbs() -> Iterator[str]:
    whole = click.Context(
        program,
        info_name="emafusion",
        terminal_width=WIDTH,
        help_option_names=["-h", "--help"],
    )
    for name, does in VERBS.items():
        command = program.get_command(whole, name)
        if command is None:
            continue
        own = click.Context(command, info_name=name, parent=whole, terminal_width=WIDTH)
        yield f"## `emafusion {name}`\n\n{does[0].upper()}{does[1:]}.\n"
        yield from _help(own)


def _help(own: click.Context) -> Iterator[str]:
    """Help of a command as it is printed, then that of the commands below it."""
    yield f"```text\n{own.command.get_help(own).rstrip()}\n```\n"
    if isinstance(own.command, click.Group):
        for name, command in own.command.commands.items():
            below = click.Context(command, info_name=name, parent=own, terminal_width=WIDTH)
            yield f"### `{below.command_path}`\n"
            yield from _help(below)
