"""A gateway in this process, and how one config takes over from another without a gap.

Each config is a generation: everything is opened for it anew, on the same socket. It begins to
answer before the one before it stops listening; what that one has under way it finishes. So a
config that cannot be opened changes nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from emafusion.build.admin import admin_app
from emafusion.build.keys import check_keys, gateway_keys
from emafusion.build.opening import Opened, opened
from emafusion.build.reliability import client_limits, same_names
from emafusion.build.standing import ALONE, Standing
from emafusion.cli.loading import tell_loaded
from emafusion.cli.memory import settle
from emafusion.config import Config
from emafusion.gateway.app import App
from emafusion.gateway.bodies import Bodies
from emafusion.gateway.server import serve
from emafusion.gateway.workers.sockets import Listener
from emafusion.telemetry.lines import tell_in

GENTLE_S = 3.0
"""Seconds in which idle clients of the generation before may send a request that it answers."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Place:
    """Where a gateway answers. `admin`: the socket of its admin API, None where there is none."""

    listener: Listener
    env: Mapping[str, str]
    admin: Listener | None = None
    standing: Standing = ALONE


class Generation:
    """One config at work."""

    def __init__(self, config: Config, place: Place) -> None:
        self.config = config
        self.gentle_s = 0.0
        self.gateway: Opened | None = None
        self._place = place
        self._answers = asyncio.Event()
        self._serving: asyncio.Future[None] | None = None
        self._life = asyncio.ensure_future(self._live())

    async def answering(self) -> Opened:
        """Return once it answers. Raises what keeps it from that."""
        answers = asyncio.ensure_future(self._answers.wait())
        await asyncio.wait((answers, self._life), return_when=asyncio.FIRST_COMPLETED)
        answers.cancel()
        if self.gateway is None or not self._answers.is_set():
            await self._life
        if self.gateway is None:
            raise asyncio.CancelledError
        return self.gateway

    def stop(self) -> None:
        """Finish what is under way and end; once more ends that at once."""
        (self._life if self._serving is None else self._serving).cancel()

    async def over(self) -> None:
        """Wait for its end. Raises what ended it, if it was not told to."""
        await asyncio.wait((self._life,))
        if not self._life.cancelled():
            self._life.result()

    async def _live(self) -> None:
        config, place = self.config, self._place
        await check_keys(config, place.env)
        tell_in(config.telemetry.lines, requests=config.telemetry.requests)
        async with opened(config, place.env, place.standing) as gateway, self._beside(gateway):
            self.gateway = gateway
            settle()
            await self._serve(gateway)

    async def _serve(self, gateway: Opened) -> None:
        place = self._place
        serving = asyncio.ensure_future(
            serve(
                _app(self.config, gateway, place.env),
                place.listener.dup(),
                self._answers.set,
                grace_s=self.config.reliability.drain_s,
                gentle_s=lambda: self.gentle_s,
            )
        )
        self._serving = serving
        watching = asyncio.ensure_future(_watched(gateway, is_told=place.standing.leads))
        watching.add_done_callback(lambda done: serving.cancel() if _failed(done) else None)
        await asyncio.wait((serving,))
        watching.cancel()
        await asyncio.wait((watching,))
        if not serving.cancelled():
            serving.result()
        if _failed(watching):
            watching.result()

    @asynccontextmanager
    async def _beside(self, gateway: Opened) -> AsyncGenerator[None, None]:
        """What one process of a gateway does beside answering: the admin API, batches."""
        if not self._place.standing.leads:
            yield
            return
        app, listener = admin_app(self.config, self._place.env, gateway), self._place.admin
        admin = None
        if app is not None and listener is not None:
            admin = asyncio.ensure_future(serve(app, listener.dup(), _nothing, grace_s=1))
        try:
            async with gateway.batches.running():
                yield
        finally:
            if admin is not None:
                admin.cancel()
                await asyncio.wait((admin,))


class Generations:
    """The generations of one gateway in this process: the one that answers, and those that end."""

    def __init__(self, place: Place) -> None:
        self._place = place
        self._now: Generation | None = None
        self._ending = set[asyncio.Task[None]]()
        self._old = set[Generation]()
        self._turn = asyncio.Lock()
        self._stopping = False

    @property
    def gateway(self) -> Opened | None:
        """What answers now."""
        return None if self._now is None else self._now.gateway

    @property
    def config(self) -> Config | None:
        """The config at work."""
        return None if self._now is None else self._now.config

    async def begin(self, config: Config) -> Opened:
        """Answer by this config from now on, whatever did before. Raises what keeps it from that.

        Then nothing has changed.
        """
        async with self._turn:
            fresh, before = Generation(config, self._place), self._now
            gateway = await fresh.answering()
            self._now = fresh
            if before is not None:
                _inherit(fresh, before)
                before.gentle_s = GENTLE_S
                before.stop()
                self._old.add(before)
                ending = asyncio.ensure_future(self._end(before))
                self._ending.add(ending)
                ending.add_done_callback(self._ending.discard)
            return gateway

    def reread(self) -> None:
        """Have the artifact read again."""
        if self._now is not None and self._now.gateway is not None:
            self._now.gateway.reloader.ask()

    def stop(self) -> None:
        """Finish what is under way and end; once more ends that at once."""
        ending = self._old if self._stopping else ()
        self._stopping = True
        for each in (self._now, *ending):
            if each is not None:
                each.gentle_s = 0.0
                each.stop()

    async def over(self) -> None:
        """Wait until the present one has ended, and all before it. Raises what ended it."""
        try:
            while (now := self._now) is not None:
                await now.over()
                if now is self._now:
                    return
        finally:
            if self._ending:
                await asyncio.wait(self._ending)

    async def _end(self, generation: Generation) -> None:
        await asyncio.wait((asyncio.ensure_future(generation.over()),))
        self._old.discard(generation)


def _inherit(fresh: Generation, before: Generation) -> None:
    """What was learned of the moment outlives the config it was learned under."""
    if fresh.gateway is None or before.gateway is None:
        return
    new, old = fresh.gateway.service, before.gateway.service
    new.turns.inherit(old.turns)
    new.warmth.inherit(old.warmth)
    together = new.once.together
    new.once = old.once
    new.once.together = together  # the old way to others closes with what it was opened for
    new.health.inherit(old.health, same_names(before.config, fresh.config))
    new.mercies.budget.inherit(old.mercies.budget)
    if fresh.config.cache == before.config.cache:
        new.cache = old.cache
        if new.cache is not None:
            new.cache.together = together


def _app(config: Config, gateway: Opened, env: Mapping[str, str]) -> App:
    return App(
        service=gateway.service,
        keys=gateway_keys(config, env, gateway.keys),
        max_concurrent=config.gateway.max_concurrent,
        limits=client_limits(config),
        bodies=Bodies(most=int(config.gateway.max_bodies_mb * 2**20)),
    )


async def _watched(gateway: Opened, *, is_told: bool) -> None:
    """Tell of local models, once for all workers. Raises where there is no model that answers."""
    if is_told:
        await tell_loaded(gateway.deployments)


def _failed(task: asyncio.Future[None]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is not None


def _nothing() -> None:
    """Announce nothing."""
