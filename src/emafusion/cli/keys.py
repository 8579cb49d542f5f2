"""`emafusion keys`: make, list, show, edit, rotate and revoke the keys of the gateway's clients."""

from __future__ import annotations

import os
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import click
import msgspec

from emafusion.build.keys import open_keys
from emafusion.cli.configured import HERE, read_text
from emafusion.cli.keys_options import fields, with_settings
from emafusion.cli.keys_table import show_key, show_keys
from emafusion.cli.loop import run
from emafusion.cli.screen import screen
from emafusion.config import Config, parse
from emafusion.domain.errors import BadInput
from emafusion.gateway.key_desk import KeyDesk, Made
from emafusion.gateway.key_form import read_form
from emafusion.gateway.key_shown import shown

GRACE = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

_config = click.option("--config", "path", metavar="FILE", help="config file, for where keys are")
_json = click.option("--json", "as_json", is_flag=True, help="print JSON")
_key = click.argument("key", metavar="KEY")


@click.group("keys", epilog="Example: emafusion keys make --name ci --budget 5/day")
def command() -> None:
    """Keys for clients of the gateway, each with limits of its own.

    A key is shown once, when it is made; only its digest is kept. KEY is an id or a name. A gateway
    that is running takes a change over within a second.
    """


@command.command(
    "make",
    short_help="make a key and print it, once",
    epilog="Example: emafusion keys make --name ci --models gpt-5-mini --budget 5/day",
)
@click.option("--name", required=True, help="what to call it; no other key may have the name")
@with_settings
@_config
@_json
def make(*, path: str | None, as_json: bool, **settings: object) -> None:
    """Make a key: the key itself on standard output, and nowhere else, ever."""
    given = fields(settings, now=_now())

    async def work(desk: KeyDesk) -> None:
        _print_secret(await desk.make(read_form(msgspec.json.encode(given))), as_json=as_json)

    _at_desk(path, work)


@command.command("list", short_help="list the keys", epilog="Example: emafusion keys list --json")
@click.option("--all", "everything", is_flag=True, help="revoked ones too")
@_config
@_json
def list_(*, everything: bool, path: str | None, as_json: bool) -> None:
    """List the keys, with their limits and what they took today and this month (UTC)."""

    async def work(desk: KeyDesk) -> None:
        every = await desk.store.list_all()
        keys = [key for key in every if everything or key.revoked_at is None]
        with_usage = [(key, await desk.usage(key)) for key in keys]
        if as_json:
            _print_json([shown(key, time.time(), usage) for key, usage in with_usage])
        elif keys:
            show_keys(screen(), with_usage, now_s=time.time())
        else:
            click.echo("no keys; 'emafusion keys make --name NAME' makes one", err=True)

    _at_desk(path, work)


@command.command("show", short_help="show one key", epilog="Example: emafusion keys show ci")
@_key
@_config
@_json
def show(*, key: str, path: str | None, as_json: bool) -> None:
    """Show a key's settings, what it took, and how its budgets stand; the key is not kept."""

    async def work(desk: KeyDesk) -> None:
        found = await desk.named(key)
        usage = await desk.usage(found)
        if as_json:
            _print_json(shown(found, time.time(), usage))
        else:
            show_key(screen(), found, usage, now_s=time.time())

    _at_desk(path, work)


@command.command(
    "edit",
    short_help="change settings of a key",
    epilog="Example: emafusion keys edit ci --budget 10/day --requests-per-minute none",
)
@_key
@click.option("--name", help="another name")
@with_settings
@click.option("--enable/--disable", "enabled", default=None, help="let it in, or not for now")
@_config
@_json
def edit(
    *, key: str, enabled: bool | None, path: str | None, as_json: bool, **settings: object
) -> None:
    """Change what is named, leave the rest; `none` takes a limit away. --tag replaces all tags."""
    given = fields(settings, now=_now()) | ({} if enabled is None else {"enabled": enabled})
    if not given:
        raise BadInput("says nothing to change; see --help", where="keys edit")

    async def work(desk: KeyDesk) -> None:
        changed = await desk.edit(key, msgspec.json.encode(given))
        if as_json:
            _print_json(shown(changed, time.time()))
        else:
            click.echo(f"{changed.id} ({changed.name}) was changed", err=True)

    _at_desk(path, work)


@command.command(
    "rotate",
    short_help="give a key another secret",
    epilog="Example: emafusion keys rotate ci --grace 1h",
)
@_key
@click.option("--grace", metavar="TIME", default="0s", help="how long the old one holds: 90s, 1h")
@_config
@_json
def rotate(*, key: str, grace: str, path: str | None, as_json: bool) -> None:
    """Print a new secret for a key, once; settings, id and spending stay."""
    grace_s = _seconds(grace)

    async def work(desk: KeyDesk) -> None:
        _print_secret(await desk.rotate(key, grace_s=grace_s), as_json=as_json)

    _at_desk(path, work)


@command.command(
    "revoke", short_help="end a key for ever", epilog="Example: emafusion keys revoke ci"
)
@_key
@_config
@_json
def revoke(*, key: str, path: str | None, as_json: bool) -> None:
    """End a key for ever. `keys edit KEY --disable` is for a while."""

    async def work(desk: KeyDesk) -> None:
        ended = await desk.revoke(key)
        if as_json:
            _print_json(shown(ended, time.time()))
        else:
            click.echo(f"{ended.id} ({ended.name}) is revoked", err=True)

    _at_desk(path, work)


def _at_desk(path: str | None, work: Callable[[KeyDesk], Awaitable[None]]) -> None:
    config = _read_config(path)
    pool = frozenset(entry.name for entry in config.models)

    async def whole() -> None:
        ring = open_keys(config, os.environ)
        try:
            await work(KeyDesk(store=ring.store, meter=ring.meter, pool=pool))
        finally:
            await ring.close()

    run(whole())


def _read_config(path: str | None) -> Config:
    """The config, for where keys are; providers' keys need not be set for it."""
    named = HERE if path is None and Path(HERE).is_file() else path
    return Config() if named is None else parse(read_text(named), source=named)


def _print_secret(made: Made, *, as_json: bool) -> None:
    if as_json:
        _print_json({"key": made.secret, **shown(made.key, time.time())})
        return
    click.echo(made.secret)
    told = f"this is {made.key.id} ({made.key.name}); it is shown only now, so keep it well"
    click.echo(told, err=True)


def _print_json(what: object) -> None:
    click.echo(msgspec.json.format(msgspec.json.encode(what), indent=2))


def _seconds(text: str) -> float:
    number, unit = text[:-1], text[-1:]
    if unit not in GRACE or not number.isdigit() or not number.isascii():
        raise BadInput(f"must be a time such as 90s or 1h, got {text[:40]!r}", where="--grace")
    return float(number) * GRACE[unit]


def _now() -> datetime:
    return datetime.now(tz=UTC)
