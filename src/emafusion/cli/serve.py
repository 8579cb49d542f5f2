"""`emafusion serve`: the gateway, with whatever pool there is."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine

import click

from emafusion.build.opening import Opened, opened
from emafusion.cli.configured import Configured, configured
from emafusion.cli.welcome import welcome
from emafusion.config import Config, with_address
from emafusion.domain.errors import Unready
from emafusion.gateway.app import App
from emafusion.gateway.keys import Keys, make_keys
from emafusion.gateway.server import bind, serve


@click.command("serve", epilog="Example: emafusion serve --port 8080")
@click.option("--config", "path", metavar="FILE", help="config file; without one a pool is found")
@click.option("--host", help="address to listen on  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="port, 0 = any free  [default: 8080]")
def command(path: str | None, host: str | None, port: int | None) -> None:
    """Start the gateway.

    Without a config the pool is found: provider keys in the environment, local servers that
    answer, else the embedded local models.
    """
    run(_serve(path, host, port))


def run(work: Coroutine[None, None, None]) -> None:
    """Run the work on the fastest event loop there is here."""
    try:
        import uvloop
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


async def _serve(path: str | None, host: str | None, port: int | None) -> None:
    found = await configured(path)
    config = with_address(found.config, host=host, port=port)
    keys = gateway_keys(config)
    listener = bind(config.gateway.host, config.gateway.port)
    address = listener.getsockname()
    async with opened(config, os.environ) as gateway:
        app = App(service=gateway.service, keys=keys, max_concurrent=config.gateway.max_concurrent)
        await serve(app, listener, lambda: _announce(found, gateway, address))


def _announce(found: Configured, gateway: Opened, address: tuple[str, int]) -> None:
    welcome(found, gateway, address)
    sys.stdout.flush()


def gateway_keys(config: Config) -> Keys:
    """The keys that clients must show; none where the gateway is for this machine alone.

    Raises `Unready` where keys are required and none are set.
    """
    if not config.gateway.needs_keys:
        return Keys()
    name = config.gateway.keys_env or "EMAFUSION_KEYS"
    keys = [key.strip() for key in os.environ.get(name, "").split(",") if key.strip()]
    if not keys:
        what = f"clients must show a key on {config.gateway.host}, and {name} holds none"
        raise Unready(f"{what}: set it to one or more keys, separated by commas")
    return make_keys(keys)
