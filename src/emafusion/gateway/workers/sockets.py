"""One listening socket for each worker, all on the same address.

The parent keeps them open: what a client has sent to a worker that dies waits in its socket for the
worker that takes its place. The system spreads connections evenly over sockets; over processes that
wait at one socket it does not.
"""

from __future__ import annotations

import socket
import sys
from typing import TypeAlias

from emafusion.domain.errors import Unready

Listener: TypeAlias = socket.socket
"""A bound socket, for rooms that pass it on and do nothing with it."""


def inherited(number: int) -> Listener:
    """The socket that a parent has passed on under this number."""
    return socket.socket(fileno=number)


def address_of(listener: Listener) -> tuple[str, int]:
    """Host and port of a bound socket."""
    host, port = listener.getsockname()[:2]
    return str(host), int(port)


def bind_many(host: str, port: int, count: int) -> tuple[Listener, ...]:
    """Bind an address `count` times; port 0 takes any free one, the same for all.

    Where a system cannot spread connections over several sockets, it is one socket for all.
    Raises `Unready` with what to do, also where another program has the address.
    """
    first = _bound(host, port, shared=False)
    if count == 1 or not sys.platform.startswith("linux"):
        return (first, *(first.dup() for _ in range(count - 1)))
    port = int(first.getsockname()[1])
    # Bound alone once, so that two gateways that know nothing of each other cannot share a port.
    first.close()
    return tuple(_bound(host, port, shared=True) for _ in range(count))


def _bound(host: str, port: int, *, shared: bool) -> Listener:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        made.bind((host, port))
    except OSError as error:
        made.close()
        reason = error.strerror or str(error)
        raise Unready(f"cannot listen on {host}:{port}: {reason}; choose another --port") from error
    return made
