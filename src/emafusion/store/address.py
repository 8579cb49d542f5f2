"""Addresses of servers that hold state, by the name of the environment variable they are in."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec

from emafusion.domain.errors import Unready


def postgres_address(name: str, env: Mapping[str, str], *, where: str) -> str:
    """The checked URL of a PostgreSQL database. `where`: what names the variable, for errors.

    Raises `Unready` where the client's extra or the variable is missing, `BadInput` for no URL.
    """
    url = _value(name, env, where=where, extra="postgres", library="psycopg")
    from emafusion.store.postgres.link import checked_url

    return checked_url(url, where=name)


def valkey_address(name: str, env: Mapping[str, str], *, where: str) -> str:
    """The checked URL of a Valkey or Redis server; see above."""
    url = _value(name, env, where=where, extra="valkey", library="valkey")
    from emafusion.store.valkey.link import checked_url

    return checked_url(url, where=name)


def _value(name: str, env: Mapping[str, str], *, where: str, extra: str, library: str) -> str:
    if find_spec(library) is None:
        raise Unready(
            f"{where} needs a client that is not installed; pip install 'emafusion[{extra}]'"
        )
    value = env.get(name, "").strip()
    if not value:
        raise Unready(f"{where}: the environment variable {name} is not set")
    return value
