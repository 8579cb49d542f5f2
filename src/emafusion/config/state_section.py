"""Where state lives that several replicas of the gateway share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from emafusion.config.keys import Key, Section


@dataclass(frozen=True, slots=True, kw_only=True)
class StateSection(Section):
    """State that several replicas share; without it each has its own."""

    postgres_env: Annotated[
        str | None,
        Key(
            "environment variable with the URL of a PostgreSQL database for log, feedback, keys, "
            "budgets, stored responses, files and batches",
            env_name=True,
            unset="SQLite on this machine",
        ),
    ] = None
    valkey_env: Annotated[
        str | None,
        Key(
            "environment variable with the URL of a Valkey or Redis server for limits, sessions, "
            "answers to be given again and which deployments are resting",
            env_name=True,
            unset="each replica knows its own",
        ),
    ] = None


ALONE = StateSection()
"""Nothing is shared."""
