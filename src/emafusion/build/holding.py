"""What a service keeps things in, opened together and closed in turn."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from emafusion.build.keys import KeyRing, open_keys
from emafusion.build.standing import Standing
from emafusion.build.state import Log, log_path, open_feedback, open_log, open_shared
from emafusion.config import Config
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.shared import Shared
from emafusion.store.shelf.sqlite_shelf import SqliteShelf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Log, feedback, what is kept for clients, keys, and what tells other replicas if any."""

    log: Log
    feedback: SqliteFeedback | None
    shelf: SqliteShelf
    keys: KeyRing
    shared: Shared | None


def hold(
    closing: AsyncExitStack, config: Config, env: Mapping[str, str], *, standing: Standing
) -> Held:
    """Open all; each is closed by `closing`, the last one first. Raises `Unready`."""
    log = open_log(config, env, tends=standing.leads)
    closing.push_async_callback(log.close)
    feedback = open_feedback(config, env)
    if feedback is not None:
        closing.push_async_callback(feedback.close)
    shelf = open_shelf(config, env)
    closing.push_async_callback(shelf.close)
    keys = open_keys(config, env)
    closing.push_async_callback(keys.close)
    shared = open_shared(config, env) or standing.shared
    if shared is not None:
        closing.push_async_callback(shared.close)
    return Held(log=log, feedback=feedback, shelf=shelf, keys=keys, shared=shared)


def open_shelf(config: Config, env: Mapping[str, str]) -> SqliteShelf:
    """Open what is kept for clients: a file beside the log, made when it is first needed."""
    path = log_path(config, env)
    return SqliteShelf(
        path.with_name(f"{path.stem}-shelf.sqlite"),
        retention_days=config.log.retention_days,
        max_mb=config.log.max_mb,
    )
