"""`emafusion serve`: the gateway, with whatever pool there is."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager

import click

from emafusion.build.admin import admin_app
from emafusion.build.keys import check_keys, gateway_keys
from emafusion.build.opening import Opened, opened
from emafusion.build.reliability import client_limits
from emafusion.cli.configured import configured
from emafusion.cli.loading import tell_loaded
from emafusion.cli.loop import run, until_stopped
from emafusion.cli.welcome import Welcome, address_url, welcome
from emafusion.config import Config, with_address
from emafusion.gateway.admin_serving import administered
from emafusion.gateway.app import App
from emafusion.gateway.keys import Keys
from emafusion.gateway.reload import Reloader
from emafusion.gateway.server import bind, serve
from emafusion.telemetry.lines import tell_in


@click.command("serve", epilog="Example: emafusion serve --port 8080")
@click.option("--config", "path", metavar="FILE", help="config file; without one a pool is found")
@click.option("--host", metavar="ADDRESS", help="address to listen on  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="port, 0 = any free  [default: 8080]")
def command(path: str | None, host: str | None, port: int | None) -> None:
    """Start the gateway; SIGINT (Ctrl-C) or SIGTERM ends it, with what is under way finished.

    Without --config it takes emafusion.yaml in this folder. Without that the pool is found:
    provider keys in the environment, local servers that answer, else the embedded local models.
    Another artifact in the folder policy.artifact takes over within seconds, at once on SIGHUP.
    """
    run(_serve(path, host, port))


async def _serve(path: str | None, host: str | None, port: int | None) -> None:
    found = await configured(path)
    config = with_address(found.config, host=host, port=port)
    await check_keys(config, os.environ)
    tell_in(config.telemetry.lines, requests=config.telemetry.requests)
    listener = bind(config.gateway.host, config.gateway.port)
    text = Welcome(
        url=address_url(*listener.getsockname()[:2]),
        source=found.source,
        needs_key=config.gateway.needs_keys,
    )
    async with opened(config, os.environ) as gateway, _administered(config, gateway):
        keys = gateway_keys(config, os.environ, gateway.keys)
        # What is loaded by now stays: to walk over all of it for garbage would hold up whichever
        # request comes then by some 40 ms.
        gc.freeze()
        serving = asyncio.ensure_future(
            serve(
                _app(config, gateway, keys),
                listener,
                lambda: welcome(text, gateway),
                grace_s=config.reliability.drain_s,
            )
        )
        watching = asyncio.ensure_future(tell_loaded(gateway.deployments))
        _reload_by_signal(gateway.reloader)
        async with gateway.batches.running():
            await until_stopped(serving, watching)
        watching.cancel()


def _administered(config: Config, gateway: Opened) -> AbstractAsyncContextManager[None]:
    """The admin API beside the gateway, where the config wants one."""

    def tell(host: str, port: int) -> None:
        click.echo(f"admin API at {address_url(host, port)}/admin", err=True)

    app, where = admin_app(config, os.environ, gateway), config.admin
    return administered(app, where.host, where.port or 0, announce=tell)


def _reload_by_signal(reloader: Reloader) -> None:
    """Read the artifact again on SIGHUP.

    Not where a terminal is in front: there the signal says that the window was closed.
    """
    in_front = sys.stdin is not None and sys.stdin.isatty()
    if sys.platform != "win32" and not in_front:
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reloader.ask)


def _app(config: Config, gateway: Opened, keys: Keys) -> App:
    return App(
        service=gateway.service,
        keys=keys,
        max_concurrent=config.gateway.max_concurrent,
        limits=client_limits(config),
    )
