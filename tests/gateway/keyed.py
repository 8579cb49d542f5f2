"""Gateways whose clients have keys of their own, on one file of keys."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import msgspec
from tests.gateway.starting import BASE, CHEAP_AND_DEAR, Env, Gateway, in_thread, until

from emafusion.build.keys import gateway_keys, open_keys
from emafusion.build.opening import opened
from emafusion.config import parse
from emafusion.gateway.app import App
from emafusion.gateway.key_desk import KeyDesk, Made
from emafusion.gateway.key_form import read_form
from emafusion.gateway.key_shown import Usage
from emafusion.gateway.server import bind, serve

T = TypeVar("T")


@dataclass
class Keyed:
    """Starts gateways on one folder; makes keys in it as another process would."""

    folder: Path
    provider_url: str
    ends: list[Callable[[], None]] = field(default_factory=list)

    @property
    def env(self) -> Env:
        """The environment that gateways and desk see."""
        return {"EMAFUSION_HOME": str(self.folder), "EMAFUSION_KEYS": "of-the-environment"}

    def start(self, more: str = "", *, required: bool = True) -> Gateway:
        """Start one more gateway."""
        text = BASE + CHEAP_AND_DEAR.replace("URL", self.provider_url)
        text += f"gateway: {{keys_required: {str(required).lower()}}}\n{more}"
        config = parse(text, source="test.yaml", env=self.env)
        listener = bind("127.0.0.1", 0)
        port = listener.getsockname()[1]

        async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
            async with opened(config, self.env) as gateway:
                keys = gateway_keys(config, self.env, gateway.keys)
                app = App(service=gateway.service, keys=keys)
                task = asyncio.ensure_future(serve(app, listener, ready, grace_s=1))
                async with gateway.batches.running():
                    await until(stop, task)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

        self.ends.append(in_thread(work))
        return Gateway(url=f"http://127.0.0.1:{port}", log=self.folder / "log.sqlite")

    def make(self, name: str = "ci", **settings: object) -> Made:
        """Make a key."""
        form = read_form(msgspec.json.encode({"name": name, **settings}))
        return self.at_desk(lambda desk: desk.make(form))

    def edit(self, name: str, **changes: object) -> None:
        """Change a key."""
        self.at_desk(lambda desk: desk.edit(name, msgspec.json.encode(changes)))

    def usage(self, made: Made) -> Usage:
        """What a key took."""
        return self.at_desk(lambda desk: desk.usage(made.key))

    def at_desk(self, work: Callable[[KeyDesk], Coroutine[None, None, T]]) -> T:
        """Do something with the keys."""
        config = parse("", source="test.yaml", env=self.env)

        async def whole() -> T:
            ring = open_keys(config, self.env)
            try:
                return await work(KeyDesk(store=ring.store, meter=ring.meter))
            finally:
                await ring.close()

        return asyncio.run(whole())


def bearer(made: Made) -> dict[str, str]:
    """The header that shows a key."""
    return {"authorization": f"Bearer {made.secret}"}
