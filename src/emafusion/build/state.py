"""Where state lives, by the config: SQLite on this machine, or PostgreSQL and Valkey for replicas.

The servers' own modules are imported only where the config names them: they need an extra.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from emafusion.config import Config
from emafusion.domain.ports import Store
from emafusion.encode.taxonomy import AXES
from emafusion.gateway.admission_steady import SteadyMeter
from emafusion.home import home
from emafusion.store.address import postgres_address, valkey_address
from emafusion.store.estimates import LabelNames
from emafusion.store.feedback.feedback import FeedbackStore
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.keys.ports import KeyStore, Meter
from emafusion.store.log import OutcomeLog
from emafusion.store.meter_split import SplitMeter
from emafusion.store.read import LogReader
from emafusion.store.reading import Reader
from emafusion.store.shared import Shared


class Log(Store, Protocol):
    """The log of outcomes, wherever it is kept; `path`: where, for people."""

    @property
    def path(self) -> object:
        """Where it is."""
        ...

    async def close(self) -> None:
        """Write what waits and let go."""
        ...


def log_path(config: Config, env: Mapping[str, str]) -> Path:
    """The file of the log of outcomes, where it is kept in one."""
    return Path(config.log.path) if config.log.path else home(env) / "log.sqlite"


def open_log(config: Config, env: Mapping[str, str], *, tends: bool = True) -> Log:
    """Open the log of outcomes. `tends`: it is this process that removes what is past keeping.

    Raises `Unready` where it cannot be reached or is not ours.
    """
    names = LabelNames(**{axis.name: axis.classes for axis in AXES})
    url = postgres_url(config, env)
    if url is not None:
        from emafusion.store.postgres.opening import open_postgres_log

        return open_postgres_log(
            url,
            prompts=config.log.prompts,
            names=names,
            retention_days=config.log.retention_days,
            max_mb=config.log.max_mb,
        )
    return OutcomeLog.open(
        log_path(config, env),
        prompts=config.log.prompts,
        names=names,
        retention_days=config.log.retention_days,
        max_mb=config.log.max_mb,
        tends=tends,
    )


def open_feedback(config: Config, env: Mapping[str, str]) -> FeedbackStore:
    """Open what people say of answers, in the log."""
    url, with_texts = postgres_url(config, env), config.log.prompts == "full"
    if url is None:
        return SqliteFeedback(log_path(config, env), with_texts=with_texts)
    from emafusion.store.postgres.opening import open_postgres_feedback

    return open_postgres_feedback(url, with_texts=with_texts)


def open_reader(config: Config, env: Mapping[str, str]) -> Reader:
    """Open the log of outcomes for reading."""
    url = postgres_url(config, env)
    if url is None:
        return LogReader(log_path(config, env))
    from emafusion.store.postgres.read import PostgresReader

    return PostgresReader(url)


def shared_keys(config: Config, env: Mapping[str, str]) -> tuple[KeyStore | None, Meter | None]:
    """Keys, and counters of what they spend, where replicas share them; None where they do not."""
    url, valkey = postgres_url(config, env), valkey_url(config, env)
    keys: KeyStore | None = None
    lasting: Meter | None = None
    if url is not None:
        from emafusion.store.postgres.opening import open_postgres_keys

        keys, lasting = open_postgres_keys(url)
    if valkey is None:
        return keys, lasting
    return keys, _quick(valkey) if lasting is None else _split(_quick(valkey), lasting)


def _quick(url: str) -> Meter:
    from emafusion.store.valkey.link import open_client
    from emafusion.store.valkey.meter import ValkeyMeter

    return ValkeyMeter(open_client(url))


def _split(quick: Meter, lasting: Meter) -> Meter:
    """Each goes on by itself where the other's server is gone."""
    return SplitMeter(quick=SteadyMeter(quick, time.time), lasting=SteadyMeter(lasting, time.time))


def open_shared(config: Config, env: Mapping[str, str]) -> Shared | None:
    """What tells other replicas; None where there are none. Needs a running event loop."""
    url = valkey_url(config, env)
    if url is None:
        return None
    from emafusion.store.valkey.stream import ValkeyShared

    return ValkeyShared(url)


def postgres_url(config: Config, env: Mapping[str, str]) -> str | None:
    """The checked URL of the database; None where the config names none."""
    name = config.state.postgres_env
    return None if name is None else postgres_address(name, env, where="state.postgres_env")


def valkey_url(config: Config, env: Mapping[str, str]) -> str | None:
    """The checked URL of Valkey; None where the config names none."""
    name = config.state.valkey_env
    return None if name is None else valkey_address(name, env, where="state.valkey_env")
