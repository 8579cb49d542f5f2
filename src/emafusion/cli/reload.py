"""`emafusion reload`: have a running gateway take over the config as it is now."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

import click

from emafusion.cli.configured import configured
from emafusion.cli.loop import run
from emafusion.cli.status import Told, read, running
from emafusion.domain.errors import BadInput, Unready
from emafusion.home import home

WAIT_S = 150.0
"""Seconds to wait for what the gateway says; its workers may take that long to open a config."""


@click.command("reload", epilog="Example: emafusion reload --port 8080")
@click.option("--config", "path", metavar="FILE", help="config file of the gateway")
@click.option("--port", type=click.IntRange(1, 65535), help="of the gateway, if several run")
def command(path: str | None, port: int | None) -> None:
    """Have a running gateway read its config and its artifact again, without a gap.

    The config is checked first. One that is wrong, or that the gateway cannot open, changes
    nothing: the one in use goes on. The gateway is found in the folder EMAFUSION_HOME; one that
    runs elsewhere, such as in a container, takes SIGHUP for the same.
    """
    run(_check(path))
    where, told = _found(port)
    os.kill(told.pid, signal.SIGUSR1)
    refused = _what_came(where, told)
    if refused is not None:
        raise Unready(f"refused: {refused}")
    click.echo(f"another config is in use at {told.url}, or the same one as before")


async def _check(path: str | None) -> None:
    """Raise `BadInput` for a config with mistakes, before any gateway is bothered."""
    await asyncio.wait_for(configured(path), None)


def _found(port: int | None) -> tuple[Path, Told]:
    folder = home(os.environ)
    there = [each for each in running(folder) if port is None or _port(each[1]) == port]
    if not there:
        which = "" if port is None else f" on port {port}"
        raise Unready(f"no gateway runs with {folder}{which}; signal it by: kill -HUP PID")
    if len(there) > 1:
        ports = ", ".join(str(_port(told)) for _, told in there)
        raise BadInput(f"several gateways run, on {ports}: say which", where="--port")
    return there[0]


def _what_came(where: Path, before: Told) -> str | None:
    """Wait until the gateway has said what came of it; why it refused, None if it did not."""
    deadline = time.monotonic() + WAIT_S
    while time.monotonic() < deadline:
        told = read(where)
        if told is not None and told.reloads > before.reloads:
            return told.refused
        time.sleep(0.05)
    raise Unready(f"the gateway has not said within {WAIT_S:g} s what came of it")


def _port(told: Told) -> int:
    return int(told.url.rpartition(":")[2])
