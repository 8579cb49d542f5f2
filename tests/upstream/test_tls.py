"""TLS with real certificates: trusted ones serve, others are named."""

from __future__ import annotations

import asyncio

import pytest
from tests.upstream.conftest import Certificate
from tests.upstream.fake_server import FakeServer, Hang, reply, stream

from emafusion.domain.errors import Disconnected, Garbled, TimedOut
from emafusion.upstream.address import Server
from emafusion.upstream.pool import Pool
from emafusion.upstream.request import HttpRequest
from emafusion.upstream.timeouts import Timeouts
from emafusion.upstream.tls import Trust

ASK = HttpRequest(target="/v1/x", body=b"{}")
QUICK = Timeouts(connect_s=0.3)


async def test_a_trusted_server_is_spoken_to_over_one_connection(certificate: Certificate) -> None:
    """Handshake once, then several calls."""
    async with FakeServer(tls=certificate.server()) as server:
        server.will(stream("a", "b"))
        pool = Pool(trust=Trust(certificate.certificate))
        for _ in range(3):
            response = await pool.open(
                Server(scheme="https", host="localhost", port=server.port), ASK
            )
            assert await response.read() == b"data: a\n\ndata: b\n\n"
            response.close()
        assert server.accepted == 1
        await pool.close()
        assert pool.connections == 0


async def test_the_environment_names_authorities(
    certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SSL_CERT_FILE is honoured."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.certificate))
    async with FakeServer(tls=certificate.server()) as server:
        server.will(reply(b"x"))
        pool = Pool()
        response = await pool.open(Server(scheme="https", host="localhost", port=server.port), ASK)
        assert await response.read() == b"x"
        response.close()
        await pool.close()


@pytest.mark.filterwarnings("ignore:unclosed transport:ResourceWarning")
async def test_an_unknown_authority_is_refused(certificate: Certificate) -> None:
    """A self-signed certificate that nobody trusts ends the call before the key is sent."""
    async with FakeServer(tls=certificate.server()) as server:
        server.will(reply())
        pool = Pool()
        with pytest.raises(Disconnected, match="SSL_CERT_FILE or ca_file"):
            await pool.open(Server(scheme="https", host="localhost", port=server.port), ASK)
        assert not server.seen
        assert pool.connections == 0
        await pool.close()


async def test_a_certificate_for_another_name_is_refused(certificate: Certificate) -> None:
    """The host name is checked."""
    async with FakeServer(tls=certificate.server(), host="::1") as server:
        server.will(reply())
        pool = Pool(trust=Trust(certificate.certificate))
        with pytest.raises(Disconnected, match="not trusted"):
            await pool.open(Server(scheme="https", host="::1", port=server.port), ASK)
        await pool.close()


async def test_a_server_without_tls_is_no_https_server(server: FakeServer) -> None:
    """Asking plain http for TLS fails as a connection, and in time."""
    server.will(reply())
    pool = Pool()
    with pytest.raises((Disconnected, TimedOut)):
        await pool.open(Server(scheme="https", host="localhost", port=server.port), ASK, QUICK)
    assert pool.connections == 0
    await pool.close()


async def test_plain_http_to_a_tls_server_fails(certificate: Certificate) -> None:
    """The other way round as well."""
    async with FakeServer(tls=certificate.server()) as server:
        server.will(reply())
        pool = Pool()
        with pytest.raises((Disconnected, Garbled)):
            await pool.open(Server(scheme="http", host="127.0.0.1", port=server.port), ASK, QUICK)
        await pool.close()


async def test_cancelling_leaves_a_tls_server_at_once(certificate: Certificate) -> None:
    """As over plain TCP."""
    loop = asyncio.get_running_loop()
    async with FakeServer(tls=certificate.server()) as server:
        server.will(Hang())
        pool = Pool(trust=Trust(certificate.certificate))
        there = Server(scheme="https", host="localhost", port=server.port)
        call = asyncio.create_task(pool.open(there, ASK))
        await server.asked()
        call.cancel()
        cancelled_at = loop.time()
        with pytest.raises(asyncio.CancelledError):
            await call
        assert await server.client_left() - cancelled_at < 0.5
        await pool.close()


async def test_a_handshake_that_never_ends_times_out() -> None:
    """A server that accepts and says nothing costs no more than the time to connect."""
    stop = asyncio.Event()

    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        del reader
        await stop.wait()
        writer.transport.abort()

    listening = await asyncio.start_server(mute, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    pool = Pool()
    with pytest.raises(TimedOut, match=r"0\.3 s \(connect\)"):
        await pool.open(Server(scheme="https", host="127.0.0.1", port=port), ASK, QUICK)
    assert pool.connections == 0
    stop.set()
    listening.close()
    await pool.close()
