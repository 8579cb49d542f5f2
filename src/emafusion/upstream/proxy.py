"""Forward proxies: which one, if any, stands between us and a server."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from emafusion.domain.errors import BadInput
from emafusion.upstream.address import Server


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """An HTTP proxy; `authorization` is its `proxy-authorization` header, empty for none."""

    server: Server
    authorization: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxies:
    """The proxy for http and for https servers, and the hosts that are reached without.

    `direct`: host names (which cover their subdomains), addresses, networks, each perhaps with
    `:port`; `*` for every host.
    """

    http: Proxy | None = None
    https: Proxy | None = None
    direct: tuple[str, ...] = ()

    def choose(self, server: Server, /) -> Proxy | None:
        """Say which proxy leads to the server; None: go there directly."""
        proxy = self.https if server.scheme == "https" else self.http
        if proxy is None or any(_covers(rule, server) for rule in self.direct):
            return None
        return proxy


def parse_proxy(text: str, /, *, where: str = "proxy") -> Proxy:
    """Read `http://[user:password@]host[:port]`; raises `BadInput`, never showing the password.

    >>> parse_proxy("http://ann:secret@proxy.example:3128")
    Proxy(server=Server(scheme='http', host='proxy.example', port=3128))
    """
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        port = parts.port or 80
    except ValueError:
        raise BadInput("not an address", where=where) from None
    if parts.scheme != "http":
        raise BadInput(
            f"must start with http:// (the proxy's own address), got {parts.scheme}://", where=where
        )
    if not parts.hostname:
        raise BadInput("names no host", where=where)
    server = Server(scheme="http", host=parts.hostname, port=port)
    if parts.username is None:
        return Proxy(server=server)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
    return Proxy(server=server, authorization=f"Basic {base64.b64encode(user).decode()}")


def proxies_from_environment(environment: Mapping[str, str], /) -> Proxies:
    """Read `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`, small letters first.

    A server on this machine is always reached directly. Raises `BadInput` naming the variable.
    """

    def read(*names: str) -> Proxy | None:
        for name in names:
            for spelled in (name.lower(), name):
                if environment.get(spelled):
                    return parse_proxy(environment[spelled], where=spelled)
        return None

    listed = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    rules = tuple(rule.strip().lower() for rule in listed.split(",") if rule.strip())
    return Proxies(
        http=read("HTTP_PROXY", "ALL_PROXY"),
        https=read("HTTPS_PROXY", "ALL_PROXY"),
        direct=(*rules, "localhost", "127.0.0.0/8", "::1"),
    )


def _covers(rule: str, server: Server) -> bool:
    if rule in ("*", server.host, server.netloc):
        return True
    host, _, port = rule.rpartition(":")
    if port.isdigit() and "/" not in rule and host.count(":") == 0:
        if int(port) != server.port:
            return False
        rule = host
    return _covers_host(rule.removeprefix("*").removeprefix("."), server.host.lower())


def _covers_host(rule: str, host: str) -> bool:
    try:
        return ip_address(host) in ip_network(rule, strict=False)
    except ValueError:
        return host == rule or host.endswith(f".{rule}")
