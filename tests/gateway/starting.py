"""Starts a real gateway in front of the fake provider, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from emafusion.build.opening import opened
from emafusion.config import Config
from emafusion.gateway.app import App
from emafusion.gateway.server import serve
from emafusion.gateway.service import Service

Work = Callable[[threading.Event, Callable[[], None]], Coroutine[None, None, None]]
Env = dict[str, str]

BASE = """
objective: {quality_weight: 0.6}
judges: {use: [rules, logprob, agreement]}
policy: {explore_share: 0}
models:
"""

CHEAP_AND_DEAR = """
  - {name: cheap, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.1,
     completion_usd_per_mtok: 0.4, context_tokens: 100000, size_b: 3,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
  - {name: dear, provider: openai, base_url: "URL", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, context_tokens: 100000, size_b: 300,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
"""
"""Two models at the same provider, whose address takes the place of `URL`."""


@dataclass(frozen=True, kw_only=True)
class Gateway:
    """A gateway that is up: where, and the file of its log."""

    url: str
    log: Path


class StartGateway(Protocol):
    """Starts a gateway in front of `models`; `more` is put after the usual config."""

    def __call__(
        self,
        more: str = "",
        *,
        models: str = CHEAP_AND_DEAR,
        keys: tuple[str, ...] = (),
        max_concurrent: int = 100,
        base: str = BASE,
    ) -> Gateway:
        """Start it."""
        ...


def in_thread(work: Work) -> Callable[[], None]:
    """Run an async server in a thread; returns what stops it, once it is ready."""
    ready, stop = threading.Event(), threading.Event()
    errors: list[BaseException] = []

    def run() -> None:
        try:
            asyncio.run(work(stop, ready.set))
        except BaseException as error:  # noqa: BLE001 - told to the test below
            errors.append(error)
            ready.set()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    assert ready.wait(20), "the server did not start"
    if errors:
        raise errors[0]

    def end() -> None:
        stop.set()
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"
        if errors:
            raise errors[0]

    return end


async def until(stop: threading.Event, task: asyncio.Future[None] | None = None) -> None:
    """Wait until told to stop from another thread, or until the task ends."""
    while not stop.is_set() and not (task is not None and task.done()):  # noqa: ASYNC110 - threads
        await asyncio.sleep(0.02)


def gateway_work(
    config: Config, env: Env, listener: socket.socket, make_app: Callable[[Service], App]
) -> Work:
    """A gateway on this socket, its app made by `make_app`."""

    async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
        async with opened(config, env) as gateway:
            app = make_app(gateway.service)
            task = asyncio.ensure_future(serve(app, listener, ready, grace_s=1))
            async with gateway.batches.running():
                await until(stop, task)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    return work
