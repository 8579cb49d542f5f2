"""The client of Valkey or Redis, and its errors in a line that shows neither URL nor password."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from valkey.asyncio import BlockingConnectionPool, Valkey
from valkey.exceptions import ValkeyError

from emafusion.domain.errors import BadInput
from emafusion.store.errors import StoreError

PATIENCE_S: Final = 0.5
"""Seconds that a question may take before Valkey counts as gone."""

MOST: Final = 16
"""Connections at once; more questions wait for one."""

SCHEMES: Final = ("valkey", "valkeys", "redis", "rediss", "unix")

GONE: Final = (ValkeyError, OSError, TimeoutError)
"""What the client raises where the server does not answer, or answers by an error."""


def checked_url(url: str, *, where: str) -> str:
    """The URL, if it is one. Opens nothing.

    Raises:
        BadInput: it is none; the message names `where` (the environment variable) and shows
            nothing of the URL.
    """
    if not _is_url(url.strip()):
        raise BadInput("is no address such as valkey://:password@host:6379/0", where=where)
    return url.strip()


def open_client(url: str, *, patience_s: float = PATIENCE_S) -> Valkey:
    """A client; connects when it is first asked. `url`: checked."""
    pool = BlockingConnectionPool.from_url(  # pyright: ignore[reportUnknownMemberType] - not typed there
        url,
        max_connections=MOST,
        timeout=patience_s,
        socket_timeout=patience_s,
        socket_connect_timeout=patience_s,
        health_check_interval=0,
        client_name="emafusion",
    )
    return Valkey(connection_pool=pool)


def valkey_error(error: Exception, *, doing: str) -> StoreError:
    """Put what the server or the client says into one line."""
    said = str(error).strip().splitlines()
    return StoreError(f"Valkey: cannot {doing}: {said[0] if said else type(error).__name__}")


def _is_url(url: str) -> bool:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in SCHEMES and bool(parts.hostname or parts.path)
