"""A TCP socket to whichever address of a host answers first (RFC 8305, much simplified)."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Sequence
from itertools import chain, zip_longest

_STAGGER_S = 0.25

_Address = tuple[int, tuple[str, int]]


async def open_socket(host: str, port: int, /) -> socket.socket:
    """Connect, trying a second address soon if the first is slow, at once if it refuses.

    Raises `OSError` of the first address if none works.
    """
    addresses = await _resolve(host, port)
    if len(addresses) == 1:
        return await _connect(addresses[0])
    attempts: list[asyncio.Task[socket.socket]] = []
    try:
        return await _race(addresses, attempts)
    finally:
        await _sweep(attempts)


async def _resolve(host: str, port: int) -> list[_Address]:
    """Addresses of a host; an address itself is not looked up."""
    try:
        version = ipaddress.ip_address(host).version
    except ValueError:
        pass
    else:
        return [(socket.AF_INET6 if version == 6 else socket.AF_INET, (host, port))]
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    unique = list(dict.fromkeys((int(f[0]), (str(f[4][0]), int(f[4][1]))) for f in found))
    return _by_turns(unique)


def _by_turns(addresses: Sequence[_Address]) -> list[_Address]:
    """Put the two families by turns, each in its order, the system's favourite first."""
    favourite = [address for address in addresses if address[0] == addresses[0][0]]
    other = [address for address in addresses if address[0] != addresses[0][0]]
    mixed = chain.from_iterable(zip_longest(favourite, other))
    return [address for address in mixed if address is not None]


async def _connect(address: _Address) -> socket.socket:
    family, where = address
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(0)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        await asyncio.get_running_loop().sock_connect(sock, where)
    except BaseException:
        sock.close()
        raise
    return sock


async def _race(
    addresses: list[_Address], attempts: list[asyncio.Task[socket.socket]]
) -> socket.socket:
    """Start attempts one after the other; return the first socket that connects."""
    waiting = list(addresses)
    while waiting or not all(attempt.done() for attempt in attempts):
        if waiting:
            attempts.append(asyncio.create_task(_connect(waiting.pop(0))))
        running = [attempt for attempt in attempts if not attempt.done()]
        await asyncio.wait(
            running,
            timeout=_STAGGER_S if waiting else None,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for attempt in attempts:
            if attempt.done() and attempt.exception() is None:
                attempts.remove(attempt)
                return attempt.result()
    error = attempts[0].exception()
    raise OSError(str(error)) if error is None else error


async def _sweep(attempts: list[asyncio.Task[socket.socket]]) -> None:
    """End the attempts that lost, and close what they may have opened."""
    for attempt in attempts:
        attempt.cancel()
    for result in await asyncio.gather(*attempts, return_exceptions=True):
        if isinstance(result, socket.socket):
            result.close()
