"""`emafusion check`: every mistake of a config file, with its line."""

from __future__ import annotations

import os
import sys

import click
import msgspec

from emafusion.build.opening import candidates_of, parts_of
from emafusion.cli.configured import HERE, read_config
from emafusion.config import Config, ConfigError


@click.command("check", epilog="Example: emafusion check emafusion.yaml")
@click.argument("path", metavar="[FILE]", default=HERE)
@click.option("--json", "as_json", is_flag=True, help="print JSON")
def command(path: str, *, as_json: bool) -> None:
    """Check the config FILE (emafusion.yaml if not said). Opens no connection, spends nothing.

    Ends with 0 if it can be used, else with 2 and a line for each mistake.
    """
    try:
        config = read_config(path)
    except ConfigError as error:
        if as_json:
            problems = [msgspec.to_builtins(problem) for problem in error.problems]
            click.echo(msgspec.json.encode({"ok": False, "problems": problems}))
            sys.exit(2)
        raise
    if config.models:
        parts_of(config, candidates_of(config))
    notes = _notes(config)
    if as_json:
        click.echo(msgspec.json.encode({"ok": True, "models": len(config.models), "notes": notes}))
        return
    models = f"{len(config.models)} models" if config.models else "no models: a pool is found here"
    click.echo(f"{path}: ok, {models}")
    for note in notes:
        click.echo(f"note: {note}")


def _notes(config: Config) -> list[str]:
    """What is no mistake and may still surprise: unset keys, unknown prices."""
    keys = {e.key_env for e in config.models if e.key_env and not os.environ.get(e.key_env)}
    unpriced = [c.name for c in candidates_of(config) if c.model.price is None]
    return [
        *(f"{key} is not set in this environment" for key in sorted(keys)),
        *(f"the price of {name} is unknown: it counts as the dearest" for name in unpriced),
    ]
