"""`emafusion models`: the pool, the catalog, and the embedded weights."""

from __future__ import annotations

import asyncio
import os
from dataclasses import dataclass

import click
import msgspec

from emafusion.build.opening import candidates_of, today_catalog
from emafusion.cli.configured import configured
from emafusion.cli.fetching import fetch
from emafusion.cli.models_table import catalog_table, model_row, pool_table
from emafusion.cli.reach import reachable
from emafusion.cli.screen import screen


@dataclass(frozen=True, slots=True, kw_only=True)
class _Options:
    path: str | None
    catalog: bool
    filter: str | None
    health: bool
    fetched: str | None
    as_json: bool


@click.command("models", epilog="Example: emafusion models --health")
@click.option("--config", "path", metavar="FILE", help="config file")
@click.option("--catalog", is_flag=True, help="list what the catalog knows, instead of the pool")
@click.option("--filter", metavar="WORD", help="only models with this in name or provider")
@click.option(
    "--health", is_flag=True, help="ask each deployment whether it answers; spends nothing"
)
@click.option(
    "--fetch", "fetched", type=click.Choice(["embedded"]), help="fetch and prepare local weights"
)
@click.option("--json", "as_json", is_flag=True, help="print JSON, a model a line")
def command(**options: object) -> None:
    """List the pool: who can answer, at what price, with what limits and abilities."""
    asked = msgspec.convert(options, _Options)
    if asked.fetched is not None:
        fetch(os.environ)
    elif asked.catalog:
        _catalog(asked)
    else:
        _pool(asked)


def _catalog(asked: _Options) -> None:
    entries = [e for e in today_catalog().entries if _wanted(e.model.name, e.model.provider, asked)]
    if asked.as_json:
        for entry in entries:
            click.echo(msgspec.json.encode(model_row(entry.model.name, entry.model)))
    else:
        screen().print(catalog_table(tuple(entries)))


def _pool(asked: _Options) -> None:
    config = asyncio.run(configured(asked.path)).config
    candidates = [c for c in candidates_of(config) if _wanted(c.name, c.model.provider, asked)]
    health = asyncio.run(reachable(config, os.environ)) if asked.health else {}
    if asked.as_json:
        for candidate in candidates:
            row = model_row(candidate.name, candidate.model)
            health_told = health.get(candidate.deployment)
            click.echo(msgspec.json.encode(row | ({"health": health_told} if asked.health else {})))
    else:
        screen().print(pool_table(tuple(candidates), health))


def _wanted(name: str, provider: str, asked: _Options) -> bool:
    word = (asked.filter or "").casefold()
    return word in name.casefold() or word in provider.casefold()
