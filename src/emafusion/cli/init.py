"""`emafusion init`: a commented config file of what is found here."""

from __future__ import annotations

import asyncio
import os
import shlex
from pathlib import Path

import click
import msgspec

from emafusion.build.discovery import find_pool
from emafusion.cli.asking import spinner
from emafusion.cli.configured import HERE, read_text
from emafusion.config import Config, default_yaml, parse
from emafusion.config.litellm import import_litellm
from emafusion.domain.errors import BadInput


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """A config as text, how many models it has and, in words, where they are from."""

    text: str
    models: int
    told: str


@click.command("init", epilog="Example: emafusion init --out emafusion.yaml")
@click.option("--out", default=HERE, show_default=True, metavar="FILE", help="file to write")
@click.option("--force", is_flag=True, help="overwrite the file if it is there")
@click.option("--from-litellm", "theirs", metavar="FILE", help="take over a LiteLLM proxy config")
@click.option("--json", "as_json", is_flag=True, help="print what was done as JSON")
def command(out: str, *, force: bool, theirs: str | None, as_json: bool) -> None:
    """Write the config that serve would use without one: every key, with its meaning.

    Keys of providers are named by their environment variable, never written.
    """
    _refuse(out, force=force)
    made = _found() if theirs is None else _taken_over(theirs)
    _write(out, made.text, force=force)
    if as_json:
        click.echo(msgspec.json.encode({"file": out, "models": made.models, "from": made.told}))
        return
    click.echo(f"wrote {out}: {made.models} models; {made.told}")
    then = "" if out == HERE else f" --config {shlex.quote(out)}"
    click.echo(f"next: emafusion serve{then}")


def _refuse(out: str, *, force: bool) -> None:
    if not out:
        raise BadInput("must be the name of a file, got nothing", where="--out")
    if os.path.lexists(out) and not force:
        raise BadInput("is there already; --force overwrites it", where=out)


def _found() -> _Made:
    with spinner("looking for keys and local servers ..."):
        found = asyncio.run(find_pool(Config(), os.environ))
    text = default_yaml(found.config, notes=("", f"Made from what was there: {found.told}."))
    return _Made(text=text, models=len(found.config.models), told=found.told)


def _taken_over(path: str) -> _Made:
    text = import_litellm(read_text(path, where="--from-litellm"), source=path)
    models = len(parse(text, source=path).models)
    return _Made(text=text, models=models, told=f"taken over from {path}, see the comments on top")


def _write(out: str, text: str, *, force: bool) -> None:
    try:
        with Path(out).open("w" if force else "x", encoding="utf-8") as file:
            file.write(text)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise BadInput(f"cannot be written: {why}", where=out) from error
