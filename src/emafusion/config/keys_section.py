"""Where the gateway's keys are kept, and who administers them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from emafusion.config.keys import Key, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class KeysSection(Section):
    """Gateway keys with limits of their own, made by `emafusion keys make`."""

    path: Annotated[
        str | None,
        Key(
            "file of keys, budgets and what was spent",
            unset="keys.sqlite beside the log; PostgreSQL where state.postgres_env is set",
        ),
    ] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AdminSection(Section):
    """Administration by HTTP, on a port of its own."""

    port: Annotated[
        int | None,
        Key("port of the admin API; 0 = any free one", low=0, high=65_535, unset="there is none"),
    ] = None
    host: Annotated[str, Key("address that the admin API listens on")] = "127.0.0.1"
    token_env: Annotated[
        str,
        Key("environment variable with the token that the admin API asks for", env_name=True),
    ] = "EMAFUSION_ADMIN_TOKEN"  # noqa: S105 - the name of a variable


BESIDE_THE_LOG = KeysSection()
"""A file beside the log."""

NO_ADMIN = AdminSection()
"""No admin API."""
