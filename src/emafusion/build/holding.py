"""What a service keeps things in, opened together and closed in turn."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass

from emafusion.build.keys import KeyRing, open_keys
from emafusion.build.standing import Standing
from emafusion.build.state import (
    Log,
    log_path,
    open_feedback,
    open_log,
    open_shared,
    postgres_url,
    valkey_url,
)
from emafusion.config import Config
from emafusion.gateway.reuse.once import MAX_BYTES
from emafusion.gateway.reuse.together import Together
from emafusion.store.feedback.feedback import FeedbackStore
from emafusion.store.shared import Shared
from emafusion.store.shelf.ports import Shelf
from emafusion.store.shelf.sqlite_shelf import SqliteShelf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Held:
    """Log, feedback, what is kept for clients, keys.

    `shared`: tells other replicas or workers of the moment, `together` of answers that may be given
    again; None where there are none.
    """

    log: Log
    feedback: FeedbackStore
    shelf: Shelf
    keys: KeyRing
    shared: Shared | None
    together: Together | None


def hold(
    closing: AsyncExitStack, config: Config, env: Mapping[str, str], *, standing: Standing
) -> Held:
    """Open all; each is closed by `closing`, the last one first. Raises `Unready`."""
    log = open_log(config, env, tends=standing.leads)
    closing.push_async_callback(log.close)
    feedback = open_feedback(config, env)
    closing.push_async_callback(feedback.close)
    shelf = open_shelf(config, env)
    closing.push_async_callback(shelf.close)
    together = _together(config, env, shelf, are_several=standing.shared is not None)
    if together is not None:
        closing.push_async_callback(together.close)
    keys = open_keys(config, env)
    closing.push_async_callback(keys.close)
    shared = open_shared(config, env) or standing.shared
    if shared is not None:
        closing.push_async_callback(shared.close)
    return Held(
        log=log, feedback=feedback, shelf=shelf, keys=keys, shared=shared, together=together
    )


def open_shelf(config: Config, env: Mapping[str, str]) -> Shelf:
    """Open what is kept for clients: beside the log, in a file made when it is first needed."""
    url, days, max_mb = postgres_url(config, env), config.log.retention_days, config.log.max_mb
    answers_mb = _answers_mb(config)
    if url is None:
        path = log_path(config, env)
        file = path.with_name(f"{path.stem}-shelf.sqlite")
        return SqliteShelf(file, retention_days=days, max_mb=max_mb, answers_mb=answers_mb)
    from emafusion.store.postgres.shelf import PostgresShelf

    return PostgresShelf(url, retention_days=days, max_mb=max_mb, answers_mb=answers_mb)


def _together(
    config: Config, env: Mapping[str, str], shelf: Shelf, *, are_several: bool
) -> Together | None:
    """Where answers that may be given again are shared: only where texts may be kept at all."""
    if config.log.prompts != "full":
        return None
    url = valkey_url(config, env)
    if url is None:
        is_shared = are_several or config.state.postgres_env is not None
        return Together(answers=shelf.answers) if is_shared else None
    from emafusion.store.valkey.answers import ValkeyAnswers
    from emafusion.store.valkey.link import open_client

    most = int(_answers_mb(config) * 2**20)
    return Together(answers=ValkeyAnswers(open_client(url), max_bytes=most))


def _answers_mb(config: Config) -> float:
    """Room for the cache and for answers under idempotency keys."""
    return config.cache.max_mb + MAX_BYTES / 2**20
