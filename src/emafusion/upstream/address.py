"""Servers and base addresses: from what people write in a config to what a request needs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from emafusion.domain.errors import BadInput

_VERSION = re.compile(r"v\d+[a-z0-9]*\Z")
_PRINTABLE = re.compile(r"[!-~]*\Z")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Who is connected to; `host` is a name or a bare IP address."""

    scheme: Literal["http", "https"]
    host: str
    port: int

    @property
    def netloc(self) -> str:
        """Host and port as a CONNECT request needs them.

        >>> Server(scheme="http", host="::1", port=80).netloc
        '[::1]:80'
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"

    @property
    def authority(self) -> str:
        """The `host` header: the port only where it is not the scheme's own."""
        return self.netloc.removesuffix(f":{_PORTS[self.scheme]}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseUrl:
    """Where a deployment's API begins: server, path without a closing slash, query string."""

    server: Server
    path: str = ""
    query: str = ""

    def target(self, path: str, /, *, default: BaseUrl | None = None) -> str:
        """Path and query to ask for, given the path within the API.

        Lenient, since providers disagree on what a base address is: a missing version is taken
        from `default` (the provider's own base), a doubled one is dropped, and a base that
        already names the whole endpoint is used as it is.

        >>> base = parse_base_url("http://localhost:11434")
        >>> base.target("/chat/completions", default=parse_base_url("https://api.x.com/v1"))
        '/v1/chat/completions'
        """
        path, _, query = path.partition("?")
        named = self.path.endswith(path)
        path = self.path if named else self._with_version(default) + path
        query = "&".join(part for part in (query, self.query) if part)
        return f"{path}?{query}" if query else path

    def _with_version(self, default: BaseUrl | None) -> str:
        if default is None or any(_VERSION.match(part) for part in self.path.split("/")):
            return self.path
        version = [part for part in default.path.split("/") if _VERSION.match(part)]
        return "/".join((self.path, *version))


def parse_base_url(text: str, /, *, where: str = "base_url") -> BaseUrl:
    """Read a base address; raises `BadInput` naming `where` for one that cannot be used.

    >>> parse_base_url("https://openrouter.ai/api/v1/").path
    '/api/v1'
    >>> parse_base_url("http://localhost:8000/v1/v1").path
    '/v1'
    """
    parts = _split(text, where)
    if not (_PRINTABLE.match(parts.path) and _PRINTABLE.match(parts.query)):
        raise BadInput("a path may hold visible ASCII characters only", where=where)
    segments: list[str] = []
    for segment in parts.path.split("/"):
        doubled = segments and segment == segments[-1] and _VERSION.match(segment)
        if segment and not doubled:
            segments.append(segment)
    path = "".join(f"/{segment}" for segment in segments)
    return BaseUrl(server=_server(parts, where), path=path, query=parts.query)


def _split(text: str, where: str) -> SplitResult:
    try:
        parts = urlsplit(text.strip())
    except ValueError as error:
        raise BadInput(f"not an address: {error}", where=where) from None
    if parts.scheme not in _PORTS:
        raise BadInput("must start with http:// or https://", where=where)
    if parts.username is not None or parts.password is not None:
        raise BadInput("must not hold a user or password", where=where)
    if parts.fragment:
        raise BadInput(f"has nothing to do with a fragment: #{parts.fragment}", where=where)
    return parts


def _server(parts: SplitResult, where: str) -> Server:
    try:
        host = (parts.hostname or "").encode("idna").decode("ascii")
        port = parts.port
    except ValueError:
        raise BadInput("host or port cannot be read", where=where) from None
    if not host or not _PRINTABLE.match(host):
        raise BadInput("names no host", where=where)
    scheme: Literal["http", "https"] = "https" if parts.scheme == "https" else "http"
    return Server(scheme=scheme, host=host, port=_PORTS[scheme] if port is None else port)
