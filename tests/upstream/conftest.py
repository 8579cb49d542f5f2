"""Both event loops for every conversation over sockets, and a certificate to test TLS with."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop
from tests.upstream.fake_server import FakeServer

_Loops = Mapping[str, Callable[[], asyncio.AbstractEventLoop]]


def pytest_asyncio_loop_factories(config: pytest.Config, item: pytest.Item) -> _Loops:
    """Run on the loop that serves and on the one that any Python has."""
    del config
    if "local" in item.path.parts:
        return {"asyncio": asyncio.new_event_loop}
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@dataclass(frozen=True, slots=True)
class Certificate:
    """A self-signed certificate for localhost, in PEM files."""

    certificate: Path
    key: Path

    def server(self) -> ssl.SSLContext:
        """Make the context of a server that shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        return context


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Make a certificate with the openssl command."""
    folder = tmp_path_factory.mktemp("tls")
    made = Certificate(folder / "certificate.pem", folder / "key.pem")
    what = "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2"
    names = "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    files = ["-keyout", str(made.key), "-out", str(made.certificate)]
    command = ["openssl", *what.split(), *names.split(), *files]
    subprocess.run(command, check=True, capture_output=True)
    return made


@pytest_asyncio.fixture
async def server() -> AsyncIterator[FakeServer]:
    """Listen on loopback; afterwards no connection of a client may be left open."""
    async with FakeServer() as running:
        yield running
        for _ in range(100):
            if not running.open:
                break
            await asyncio.sleep(0.01)
        assert not running.open, "the client left a connection open"
