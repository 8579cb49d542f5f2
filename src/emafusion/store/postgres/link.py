"""Connections to PostgreSQL, and its errors in a line that shows neither URL nor password."""

from __future__ import annotations

from typing import Final

import psycopg
from psycopg import conninfo

from emafusion.domain.errors import BadInput
from emafusion.store.errors import StoreError

CONNECT_S: Final = 5
"""Seconds until an address that does not answer is given up."""

STATEMENT_S: Final = 10
"""Seconds that a statement of ours may take on the server before it is given up there."""

_OURS: Final[dict[str, str | int]] = {
    "application_name": "emafusion",
    "connect_timeout": CONNECT_S,
    # A peer that vanished is noticed within some 20 s, not after the two hours of the system.
    "keepalives_idle": 10,
    "keepalives_interval": 3,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}
_OLDEST: Final = 130_000
"""Oldest server that partitions as we need it: 13."""


def checked_url(url: str, *, where: str) -> str:
    """The URL with what we set ourselves, where it says nothing of that. Opens nothing.

    Raises:
        BadInput: it is no URL or connection string; the message names `where` (the environment
            variable) and shows nothing of the URL.
    """
    completed = _completed(url.strip())
    if completed is None:
        # Raised here, away from its cause, which quotes what was given.
        wrong = "is no address such as postgresql://user:password@host:5432/database"
        raise BadInput(wrong, where=where)
    return completed


def _completed(url: str) -> str | None:
    try:
        given = conninfo.conninfo_to_dict(url)
        ours = {name: value for name, value in _OURS.items() if name not in given}
        return conninfo.make_conninfo(url, **ours)
    except psycopg.Error:
        return None


async def connect(url: str) -> psycopg.AsyncConnection:
    """Open a connection in autocommit mode. Raises `psycopg.Error`."""
    made = await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=1)
    await made.execute(f"SET statement_timeout = {STATEMENT_S * 1000}".encode())
    return made


def connect_now(url: str, *, doing: str) -> psycopg.Connection:
    """The same, waiting for it in this thread.

    Raises:
        StoreError: it cannot be reached, refuses us, or is too old.
    """
    try:
        made = psycopg.Connection.connect(url, autocommit=True)
    except psycopg.Error as error:
        raise postgres_error(error, doing=doing) from None
    if made.info.server_version < _OLDEST:
        made.close()
        raise StoreError("PostgreSQL: is too old, 13 or newer is needed")
    return made


def postgres_error(error: psycopg.Error, *, doing: str) -> StoreError:
    """Put what PostgreSQL or its client says into one line."""
    said = error.diag.message_primary or str(error)
    line = said.strip().splitlines()[0].strip() if said.strip() else type(error).__name__
    return StoreError(f"PostgreSQL: cannot {doing}: {line}")
