"""Opening a connection: addresses, TCP, a proxy where there is one, TLS."""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass

from emafusion.domain.errors import Disconnected, TimedOut
from emafusion.upstream.address import Server
from emafusion.upstream.connection import Connection, Hook
from emafusion.upstream.proxy import Proxy
from emafusion.upstream.race import open_socket
from emafusion.upstream.timeouts import Limits, Timeouts


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialler:
    """Knows how to reach one server; `tls` is None for plain http."""

    server: Server
    limits: Limits
    proxy: Proxy | None = None
    tls: ssl.SSLContext | None = None

    async def dial(self, connect_s: float, lost: Hook, /) -> Connection:
        """Open a connection, ready for a request; `lost` is called when it is gone again.

        Raises `TimedOut` or `Disconnected` saying what stood in the way.
        """
        try:
            async with asyncio.timeout(connect_s):
                return await self._dial(connect_s, lost)
        except TimeoutError:
            message = f"no connection to {self.server.netloc} within {connect_s:g} s (connect)"
            raise TimedOut(message) from None
        except ssl.SSLCertVerificationError as error:
            raise Disconnected(self._untrusted(error)) from None
        except OSError as error:
            reason = error.strerror or str(error) or type(error).__name__
            raise Disconnected(f"no connection to {self._via()}: {reason}") from None

    def _via(self) -> str:
        if self.proxy is None:
            return self.server.netloc
        return f"{self.server.netloc} by the proxy {self.proxy.server.netloc}"

    def _untrusted(self, error: ssl.SSLCertVerificationError) -> str:
        return (
            f"the certificate of {self.server.netloc} is not trusted: {error.verify_message}; "
            "an authority of your own can be named by SSL_CERT_FILE or ca_file"
        )

    async def _dial(self, connect_s: float, lost: Hook) -> Connection:
        first = self.server if self.proxy is None else self.proxy.server
        tunnelled = self.proxy is not None and self.tls is not None
        connection = Connection(self.server.netloc, self.limits, lost)
        sock = await open_socket(first.host, first.port)
        if tunnelled:
            return await self._tunnel(sock, connection, connect_s)
        await self._start(sock, connection, self.tls)
        return connection

    async def _start(
        self, sock: socket.socket, connection: Connection, tls: ssl.SSLContext | None
    ) -> None:
        loop = asyncio.get_running_loop()
        host = self.server.host if tls is not None else None
        try:
            await loop.create_connection(
                lambda: connection, sock=sock, ssl=tls, server_hostname=host
            )
        except BaseException:
            sock.close()
            raise

    async def _tunnel(
        self, sock: socket.socket, connection: Connection, connect_s: float
    ) -> Connection:
        """Ask the proxy for a tunnel and speak TLS through it (RFC 9110, 9.3.6)."""
        outer = Connection(f"the proxy to {self.server.netloc}", self.limits, _forget)
        await self._start(sock, outer, None)
        try:
            await self._ask_for_tunnel(outer, connect_s)
            loop = asyncio.get_running_loop()
            transport = outer.detach()
            inner = await self._upgrade(loop, transport, connection)
        except BaseException:
            outer.abort()
            raise
        connection.connection_made(inner)
        return connection

    async def _upgrade(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        connection: Connection,
    ) -> asyncio.Transport:
        if self.tls is None:
            raise TypeError("a tunnel without TLS")
        try:
            inner = await loop.start_tls(
                transport, connection, self.tls, server_hostname=self.server.host
            )
        except BaseException:
            transport.abort()
            raise
        if inner is None:
            raise Disconnected(f"{self._via()}: closed during the TLS handshake")
        return inner

    async def _ask_for_tunnel(self, outer: Connection, connect_s: float) -> None:
        netloc = self.server.netloc
        lines = [f"CONNECT {netloc} HTTP/1.1", f"host: {netloc}"]
        if self.proxy is not None and self.proxy.authorization:
            lines.append(f"proxy-authorization: {self.proxy.authorization}")
        head = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")
        deadline = asyncio.get_running_loop().time() + connect_s
        answer = await outer.exchange(head, b"", timeouts=Timeouts(), deadline=deadline)
        if not 200 <= answer.status < 300:
            raise Disconnected(f"the proxy refuses a tunnel to {netloc}: status {answer.status}")


def _forget(_: Connection) -> None:
    """Nobody keeps a list of this connection."""
