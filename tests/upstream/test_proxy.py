"""Forward proxies: which is chosen, and how it is spoken to."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.upstream.conftest import Certificate
from tests.upstream.fake_proxy import FakeProxy
from tests.upstream.fake_server import FakeServer, reply

from emafusion.domain.errors import BadInput, Disconnected, TimedOut
from emafusion.upstream.address import Server, parse_base_url
from emafusion.upstream.pool import Pool
from emafusion.upstream.proxy import Proxies, parse_proxy, proxies_from_environment
from emafusion.upstream.request import HttpRequest
from emafusion.upstream.timeouts import Timeouts
from emafusion.upstream.tls import Trust

ENVIRONMENT = {
    "HTTP_PROXY": "http://upper:1",
    "http_proxy": "http://plain:1",
    "HTTPS_PROXY": "http://ann:s%40crat@secure:2",
    "NO_PROXY": "inner.example, .dotted.example,10.0.0.0/8,port.example:8080",
}


@pytest.mark.parametrize(
    ("url", "proxy"),
    [
        ("http://api.example", "plain"),
        ("https://api.example", "secure"),
        ("https://inner.example", None),
        ("https://deep.inner.example", None),
        ("https://dinner.example", "secure"),
        ("https://a.dotted.example", None),
        ("https://10.1.2.3", None),
        ("https://11.1.2.3", "secure"),
        ("https://port.example:8080", None),
        ("https://port.example", "secure"),
        ("http://localhost:11434", None),
        ("http://127.0.0.1:8000", None),
        ("http://[::1]:8000", None),
    ],
)
def test_the_environment_chooses_as_other_clients_do(url: str, proxy: str | None) -> None:
    """Small letters first, NO_PROXY by name, suffix, network and port, this machine never."""
    chosen = proxies_from_environment(ENVIRONMENT).choose(parse_base_url(url).server)
    assert (chosen.server.host if chosen else None) == proxy


def test_everything_may_go_direct() -> None:
    """A star in NO_PROXY switches proxies off; no variable means no proxy."""
    server = Server(scheme="https", host="api.example", port=443)
    assert proxies_from_environment({**ENVIRONMENT, "no_proxy": "*"}).choose(server) is None
    assert proxies_from_environment({}).choose(server) is None


def test_all_proxy_covers_both() -> None:
    """ALL_PROXY is used where the scheme has none of its own."""
    proxies = proxies_from_environment({"ALL_PROXY": "any:8"})
    assert proxies.http == proxies.https == parse_proxy("http://any:8")


@pytest.mark.parametrize("text", ["socks5://h:1", "https://h", "http://", "http://h:x"])
def test_a_proxy_that_cannot_be_used_is_named(text: str) -> None:
    """The variable is named, a password is not."""
    with pytest.raises(BadInput, match="https_proxy"):
        proxies_from_environment({"https_proxy": text})


def test_a_password_is_not_shown() -> None:
    """The representation of a proxy leaves its password out."""
    assert "secret" not in repr(parse_proxy("http://ann:secret@h"))
    assert "YW5u" not in repr(parse_proxy("http://ann:secret@h"))


async def test_plain_http_asks_the_proxy_for_the_whole_address(server: FakeServer) -> None:
    """Absolute form, and the password goes to the proxy alone."""
    server.will(reply(b"by proxy"))
    proxy = parse_proxy(f"http://ann:secret@127.0.0.1:{server.port}")
    pool = Pool(proxies=Proxies(http=proxy))
    there = Server(scheme="http", host="api.example", port=80)
    response = await pool.open(there, HttpRequest(target="/v1/x", body=b"{}"))
    assert await response.read() == b"by proxy"
    response.close()
    await pool.close()
    seen = server.seen[0]
    assert seen.target == "http://api.example/v1/x"
    assert seen.headers["host"] == "api.example"
    assert seen.headers["proxy-authorization"] == "Basic YW5uOnNlY3JldA=="


async def test_https_goes_through_a_tunnel(certificate: Certificate) -> None:
    """CONNECT, then TLS with the server itself: the proxy sees neither path nor key."""
    async with FakeServer(tls=certificate.server()) as server, FakeProxy() as proxy:
        server.will(reply(b"by tunnel"))
        proxies = Proxies(https=parse_proxy(f"http://127.0.0.1:{proxy.port}"))
        pool = Pool(proxies=proxies, trust=Trust(certificate.certificate))
        there = Server(scheme="https", host="localhost", port=server.port)
        for _ in range(2):
            response = await pool.open(there, HttpRequest(target="/v1/x", body=b"{}"))
            assert await response.read() == b"by tunnel"
            response.close()
        await pool.close()
        assert len(proxy.asked) == 1
        assert proxy.asked[0].startswith(f"CONNECT localhost:{server.port} HTTP/1.1\r\n")
        assert server.seen[0].target == "/v1/x"
        assert "proxy-authorization" not in server.seen[0].headers


async def test_a_proxy_that_refuses_is_a_disconnection(certificate: Certificate) -> None:
    """A wrong password is said with the proxy's status, and nothing stays open."""
    async with FakeProxy(authorization="Basic good") as proxy:
        proxies = Proxies(https=parse_proxy(f"http://ann:secret@127.0.0.1:{proxy.port}"))
        pool = Pool(proxies=proxies, trust=Trust(certificate.certificate))
        there = Server(scheme="https", host="localhost", port=9)
        with pytest.raises(Disconnected, match="407") as caught:
            await pool.open(there, HttpRequest(target="/"))
        assert "secret" not in str(caught.value)
        assert pool.connections == 0
        await pool.close()


async def test_a_server_behind_a_tunnel_must_speak_tls(server: FakeServer) -> None:
    """A handshake that fails inside a tunnel is a disconnection, and nothing stays open."""
    server.will(reply())
    async with FakeProxy() as proxy:
        pool = Pool(proxies=Proxies(https=parse_proxy(f"http://127.0.0.1:{proxy.port}")))
        there = Server(scheme="https", host="127.0.0.1", port=server.port)
        with pytest.raises((Disconnected, TimedOut)):
            await pool.open(there, HttpRequest(target="/"), Timeouts(connect_s=0.5))
        assert pool.connections == 0
        await pool.close()


def test_a_file_without_a_certificate_is_bad_input(tmp_path: Path) -> None:
    """A missing or wrong file of authorities is one clear line."""
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("hello")
    for path in (wrong, tmp_path / "missing.pem"):
        with pytest.raises(BadInput, match=path.name):
            Trust(path).context()
