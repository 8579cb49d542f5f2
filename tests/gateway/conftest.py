"""A fake provider and a real gateway, each on a socket of its own, each in a thread of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.gateway.provider import Provider
from tests.gateway.starting import (
    BASE,
    CHEAP_AND_DEAR,
    Gateway,
    StartGateway,
    gateway_work,
    in_thread,
    until,
)

from emafusion.config import parse
from emafusion.gateway.app import App
from emafusion.gateway.keys import make_keys
from emafusion.gateway.server import bind


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider that is up."""
    fake = Provider()
    listener = bind("127.0.0.1", 0)
    fake.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

    async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
        config = uvicorn.Config(
            fake, lifespan="off", log_level="error", ws="none", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        task = asyncio.ensure_future(server.serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)
        ready()
        await until(stop)
        server.should_exit = True
        await task
        listener.close()

    end = in_thread(work)
    yield fake
    end()


@pytest.fixture
def start_gateway(provider: Provider, tmp_path: Path) -> Iterator[StartGateway]:
    """Starts gateways in front of the provider."""
    ends: list[Callable[[], None]] = []

    def start(
        more: str = "",
        *,
        models: str = CHEAP_AND_DEAR,
        keys: tuple[str, ...] = (),
        max_concurrent: int = 100,
        base: str = BASE,
    ) -> Gateway:
        text = base + models.replace("URL", provider.url) + more
        env = {"EMAFUSION_HOME": str(tmp_path)}
        config = parse(text, source="test.yaml", env=env)
        listener = bind("127.0.0.1", 0)
        port = listener.getsockname()[1]
        known = make_keys(keys)
        work = gateway_work(
            config,
            env,
            listener,
            lambda service: App(service=service, keys=known, max_concurrent=max_concurrent),
        )
        ends.append(in_thread(work))
        return Gateway(url=f"http://127.0.0.1:{port}", log=tmp_path / "log.sqlite")

    yield start
    for end in ends:
        end()


@pytest.fixture
def gateway(start_gateway: StartGateway) -> Gateway:
    """A gateway with the usual config."""
    return start_gateway()
