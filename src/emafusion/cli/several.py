"""A gateway of several workers: the parent's part."""

from __future__ import annotations

import asyncio
import os

import click
import msgspec

from emafusion.build.local_models import OwnModels, name_of
from emafusion.build.upstreams import local_specs
from emafusion.cli.reloading import Asked, told_by_signals
from emafusion.cli.status import Status
from emafusion.config import Config
from emafusion.domain.errors import EmafusionError, Unready
from emafusion.gateway.workers.control import LocalPlace, Say
from emafusion.gateway.workers.sockets import Listener
from emafusion.gateway.workers.supervisor import Supervisor, python_command
from emafusion.telemetry.together import counted_together
from emafusion.upstream.local.child import LocalServer, LocalSpec

LOOK_S = 0.2
"""Seconds between looks at the models on this machine."""

LEFT_S = 10.0
"""Seconds that workers have to end beyond those that requests have to finish."""


async def several(
    config: Config,
    source: str,
    *,
    listeners: tuple[Listener, ...],
    admin: Listener | None,
    told: tuple[Asked, Status],
) -> None:
    """Have several processes answer until told to end."""
    with counted_together():
        await _several(config, source, listeners=listeners, admin=admin, told=told)


async def _several(
    config: Config,
    source: str,
    *,
    listeners: tuple[Listener, ...],
    admin: Listener | None,
    told: tuple[Asked, Status],
) -> None:
    house = _House(config)
    supervisor = Supervisor(
        python_command("emafusion.cli.worker"),
        listeners,
        config=msgspec.json.encode(config),
        source=source,
        admin=admin,
    )
    house.join(supervisor)
    try:
        if code := await supervisor.start():
            raise click.exceptions.Exit(code)
        with told_by_signals(config, *told, renew=house.renew, others=house):
            supervisor.announce()
            await house.over()
    finally:
        await house.close()


class _House:
    """The workers, and the models on this machine that they call."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._models = OwnModels()
        self._specs = _taken(self._models, config)
        self._supervisor: Supervisor | None = None
        self._watching: asyncio.Task[None] | None = None
        self._stopped = asyncio.Event()
        self._haste = asyncio.Event()

    def join(self, supervisor: Supervisor) -> None:
        """Tell these workers where the models are."""
        self._supervisor = supervisor
        supervisor.place(self._places())
        self._watching = asyncio.ensure_future(self._watch(supervisor))

    async def renew(self, config: Config) -> None:
        """Have all workers take this config. Raises `Unready` where one refuses it."""
        supervisor = self._joined()
        specs = _taken(self._models, config)
        supervisor.place(self._places())
        refused = await supervisor.renew(msgspec.json.encode(config))
        old = specs if refused is not None else self._specs
        if refused is None:
            self._config, self._specs = config, specs
        for spec in old:
            await self._models.give_back(spec)
        if refused is not None:
            raise Unready(refused)

    def reread(self) -> None:
        """Have all read the artifact again."""
        self._joined().tell(Say(what="reread"))

    def stop(self) -> None:
        """Have all finish what they have and end; at once if they were told already."""
        if self._stopped.is_set():
            self._joined().tell(Say(what="stop"))
            self._haste.set()
        self._stopped.set()

    async def over(self) -> None:
        """Wait until told to end, and until all have ended."""
        await self._stopped.wait()
        await self._joined().stop(self._config.reliability.drain_s + LEFT_S)

    async def close(self) -> None:
        """End the models on this machine."""
        if self._watching is not None:
            self._watching.cancel()
        for spec in self._specs:
            await self._models.give_back(spec)

    def _joined(self) -> Supervisor:
        if self._supervisor is None:
            raise EmafusionError("no workers yet")
        return self._supervisor

    async def _watch(self, supervisor: Supervisor) -> None:
        while True:
            supervisor.place(self._places())
            await asyncio.sleep(LOOK_S)

    def _places(self) -> tuple[LocalPlace, ...]:
        return tuple(_place(spec, server) for spec, server in self._models.all().items())


def _taken(models: OwnModels, config: Config) -> tuple[LocalSpec, ...]:
    specs = local_specs(config, os.environ)
    for spec in specs:
        models.take(spec)
    return specs


def _place(spec: LocalSpec, server: LocalServer) -> LocalPlace:
    has_address = server.state not in {"failed", "stopped"}
    return LocalPlace(
        name=name_of(spec),
        base_url=server.base_url if has_address else None,
        api_key=server.api_key,
        state=server.state,
        reason=server.reason,
    )
