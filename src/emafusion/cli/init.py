"""`emafusion init`: a commented config file of what is found here."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import click

from emafusion.build.discovery import find_pool
from emafusion.cli.configured import HERE, read_text
from emafusion.config import Config, parse
from emafusion.config.litellm import import_litellm
from emafusion.config.writing import default_yaml
from emafusion.domain.errors import BadInput


@click.command("init", epilog="Example: emafusion init --out emafusion.yaml")
@click.option("--out", default=HERE, show_default=True, metavar="FILE", help="file to write")
@click.option("--force", is_flag=True, help="overwrite the file if it is there")
@click.option("--from-litellm", "theirs", metavar="FILE", help="take a LiteLLM config over")
def command(out: str, *, force: bool, theirs: str | None) -> None:
    """Write the config that serve would use without one: every key, with its meaning.

    Keys of providers are named by their environment variable, never written.
    """
    if Path(out).exists() and not force:
        raise BadInput("is already there; --force overwrites it", where=out)
    text, told = _found() if theirs is None else _taken_over(theirs)
    try:
        Path(out).write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"cannot be written: {error.strerror}", where=out) from error
    click.echo(f"{out}: {told}", err=True)
    click.echo(f"next: emafusion serve --config {out}", err=True)


def _found() -> tuple[str, str]:
    config = Config()
    found = asyncio.run(find_pool(config, os.environ, avoid_port=config.gateway.port))
    return default_yaml(found.config, notes=(found.told,)), found.told


def _taken_over(path: str) -> tuple[str, str]:
    text = import_litellm(read_text(path), source=path)
    models = len(parse(text, source=path, env=os.environ).models)
    return text, f"{models} models taken over from {path}"
