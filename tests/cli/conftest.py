"""A fake provider on a socket, a config that names it, and a shell to run commands in."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvicorn
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider, Receive, Scope, Send
from tests.gateway.starting import BASE, CHEAP_AND_DEAR, in_thread, until

from emafusion.gateway.server import bind


class Listing:
    """The fake provider with the list of its models; `status` is what asking for it gives."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.status = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["method"] != "GET":
            await self.provider(scope, receive, send)
            return
        start = {"type": "http.response.start", "status": self.status}
        await send({**start, "headers": [(b"content-type", b"application/json")]})
        body = b'{"data": []}' if self.status == 200 else b'{"error": {"message": "wrong key"}}'
        await send({"type": "http.response.body", "body": body})


@pytest.fixture
def listing() -> Iterator[Listing]:
    """The provider, up."""
    fake = Listing(Provider())
    listener = bind("127.0.0.1", 0)
    fake.provider.url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"

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
def provider(listing: Listing) -> Provider:
    """What the provider says and has seen."""
    return listing.provider


@pytest.fixture
def empty(tmp_path: Path) -> Shell:
    """A folder without a config."""
    folder = tmp_path / "work"
    folder.mkdir()
    return Shell(folder)


@pytest.fixture
def shell(empty: Shell, provider: Provider) -> Shell:
    """A folder whose emafusion.yaml names the provider's two models."""
    text = BASE + CHEAP_AND_DEAR.replace("URL", provider.url)
    (empty.folder / "emafusion.yaml").write_text(text)
    return empty


@pytest.fixture
def serve(shell: Shell) -> Iterator[Callable[..., Serving]]:
    """Starts gateways by `emafusion serve --port 0` and what is added."""
    started: list[Serving] = []

    def start(*arguments: str, env: dict[str, str] | None = None) -> Serving:
        started_in = Shell(shell.folder, {**shell.env, **(env or {})})
        started.append(Serving(started_in.start("serve", "--port", "0", *arguments)))
        return started[-1]

    yield start
    for each in started:
        each.end()
