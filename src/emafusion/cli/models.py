"""`emafusion models`: the pool, the catalog, and the embedded weights."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from dataclasses import replace

import click
import msgspec

from emafusion.build.opening import candidates_of, today_catalog
from emafusion.catalog import Entry
from emafusion.cli.asking import spinner
from emafusion.cli.configured import configured
from emafusion.cli.fetching import fetch
from emafusion.cli.models_table import Listed, model_row, models_table
from emafusion.cli.reach import OK, UNKNOWN, reachable, shortly
from emafusion.cli.screen import screen, show
from emafusion.config import Config
from emafusion.domain.errors import BadInput


class _Options(msgspec.Struct, frozen=True, kw_only=True):
    word: str | None
    path: str | None
    catalog: bool
    health: bool
    fetched: str | None
    as_json: bool

    def refuse_contradictions(self) -> None:
        """Raise `BadInput` for what cannot go together: nothing that was said is ignored."""
        if self.catalog and (self.health or self.path is not None):
            wrong = "--health" if self.health else "--config"
            raise BadInput("is about the pool and does not go with --catalog", where=wrong)
        alone = (self.word, self.path, self.catalog, self.health, self.as_json)
        if self.fetched is not None and any(alone):
            raise BadInput("goes with nothing else", where="--fetch")


@click.command("models", epilog="Example: emafusion models --health")
@click.argument("word", metavar="[FILTER]", required=False)
@click.option("--catalog", is_flag=True, help="what the catalog knows, instead of the pool")
@click.option("--health", is_flag=True, help="ask whether each one answers; spends nothing")
@click.option("--fetch", "fetched", type=click.Choice(["embedded"]), help="fetch local weights")
@click.option("--config", "path", metavar="FILE", help="config file")
@click.option("--json", "as_json", is_flag=True, help="one JSON object a line, unknown = null")
def command(**options: object) -> None:
    """List the pool: who can answer, at what price, with what limits and abilities.

    With FILTER only models that have it in their name or provider. Prices are US dollars per
    million tokens. A wider terminal shows more columns, --json shows everything. With --health
    the exit code is 1 where one does not answer.
    """
    asked = msgspec.convert(options, _Options)
    asked.refuse_contradictions()
    if asked.fetched is not None:
        fetch(os.environ)
    elif asked.catalog:
        _print(_known(), asked, state="served")
    elif asked.health:
        _print_health(asked)
    else:
        _print(_listed(_config(asked)), asked)


def _config(asked: _Options) -> Config:
    return asyncio.run(configured(asked.path)).config


def _listed(config: Config, health: Mapping[str, str] | None = None) -> list[Listed]:
    """The pool; `health`: deployment -> what it said."""
    known = health or {}
    return [
        Listed(name=c.name, model=c.model, state=known.get(c.deployment))
        for c in candidates_of(config)
    ]


def _known() -> list[Listed]:
    """What the catalog has of each provider."""
    return [
        Listed(name=entry.model.name, model=entry.model, state=_served(entry))
        for entry in today_catalog().entries
    ]


def _served(entry: Entry) -> str | None:
    if entry.retired:
        return "no longer"
    return None if entry.retires is None else f"until {entry.retires}"


def _print_health(asked: _Options) -> None:
    """The pool with its health; exit code 1 where somebody does not answer."""
    found = _config(asked)
    wanted = {each.name for each in _chosen(_listed(found), asked)}
    config = replace(found, models=tuple(e for e in found.models if e.name in wanted))
    with spinner("asking every deployment ..."):
        health = asyncio.run(reachable(config, os.environ))
    wrong = {place: told for place, told in health.items() if told not in {OK, UNKNOWN}}
    if asked.as_json:
        _print(_listed(config, health), asked, state="health")
    else:
        short = {place: shortly(told) for place, told in health.items()}
        _print(_listed(config, short), asked, state="health")
        for place, told in wrong.items():
            click.echo(f"{place}: {told}")
    if wrong:
        sys.exit(1)


def _print(listed: list[Listed], asked: _Options, *, state: str | None = None) -> None:
    chosen = _chosen(listed, asked)
    if not chosen:
        click.echo(f"no model with {asked.word!r} in its name or provider", err=True)
    elif asked.as_json:
        for each in chosen:
            told = {} if state is None else {state: each.state}
            click.echo(msgspec.json.encode(model_row(each) | told))
    else:
        show(screen(), models_table(chosen, width=screen().width, state=state))


def _chosen(listed: list[Listed], asked: _Options) -> list[Listed]:
    word = (asked.word or "").casefold()
    return [each for each in listed if word in each.names]
