"""`emafusion serve`: the gateway, with whatever pool there is."""

from __future__ import annotations

import os

import click

from emafusion.build.keys import check_keys
from emafusion.cli.files import allow_files
from emafusion.cli.generations import Generations, Place
from emafusion.cli.loop import run
from emafusion.cli.reloading import Asked, told_by_signals
from emafusion.cli.several import several
from emafusion.cli.status import Status
from emafusion.cli.welcome import Welcome, address_url, welcome
from emafusion.config import Config, with_address
from emafusion.domain.errors import Unready
from emafusion.gateway.server import bind
from emafusion.gateway.workers.sockets import Listener, address_of, bind_many
from emafusion.home import home


@click.command("serve", epilog="Example: emafusion serve --port 8080")
@click.option("--config", "path", metavar="FILE", help="config file; without one a pool is found")
@click.option("--host", metavar="ADDRESS", help="address to listen on  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="port, 0 = any free  [default: 8080]")
@click.option("--workers", type=click.IntRange(1, 256), help="processes that answer  [default: 1]")
def command(*, path: str | None, host: str | None, port: int | None, workers: int | None) -> None:
    """Start the gateway; SIGINT (Ctrl-C) or SIGTERM ends it, with what is under way finished.

    Without --config it takes emafusion.yaml in this folder. Without that the pool is found:
    provider keys in the environment, local servers that answer, else the embedded local models.
    Another artifact in the folder policy.artifact takes over within seconds. On SIGHUP, or by
    'emafusion reload', the config is read again and takes over if it is right.
    """
    run(_serve(Asked(path=path, host=host, port=port, workers=workers)))


async def _serve(asked: Asked) -> None:
    config, source = await asked.config()
    gateway = config.gateway
    await check_keys(config, os.environ)
    allow_files()
    listeners = bind_many(gateway.host, gateway.port, gateway.workers)
    first = listeners[0]
    # The port that any free one has become.
    config = with_address(config, port=address_of(first)[1])
    asked = asked.at(config.gateway.port)
    admin = _admin_socket(config)
    url = address_url(*address_of(first))
    with Status(home(os.environ), config.gateway.port, url=url) as status:
        if len(listeners) > 1:
            await several(config, source, listeners=listeners, admin=admin, told=(asked, status))
            return
        await _alone(
            config,
            Place(listener=first, env=os.environ, admin=admin),
            Welcome(url=url, source=source, needs_key=gateway.needs_keys),
            told=(asked, status),
        )


async def _alone(
    config: Config, place: Place, text: Welcome, *, told: tuple[Asked, Status]
) -> None:
    """Answer in this process."""
    generations = Generations(place)
    gateway = await generations.begin(config)

    async def renew(fresh: Config) -> None:
        await generations.begin(fresh)

    with told_by_signals(config, *told, renew=renew, others=generations):
        welcome(text, gateway)
        await generations.over()


def _admin_socket(config: Config) -> Listener | None:
    """The socket of the admin API. Raises `Unready` where its address is taken."""
    where = config.admin
    if where.port is None:
        return None
    try:
        made = bind(where.host, where.port)
    except Unready as error:
        why = str(error).partition(";")[0]
        raise Unready(f"{why}; choose another admin.port") from error
    click.echo(f"admin API at {address_url(*address_of(made))}/admin", err=True)
    return made
