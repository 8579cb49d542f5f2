"""From a config to a service that is ready to answer, with everything closed after."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from emafusion.build.embedders import open_embedders
from emafusion.build.keys import KeyRing, admission_of, open_keys
from emafusion.build.parts import build_parts, learned_from, load_artifact
from emafusion.build.reliability import mercies
from emafusion.build.reloading import artifact_mark, kept_new, tried
from emafusion.build.upstreams import Deployments, open_deployments
from emafusion.build.watching import watched
from emafusion.catalog import Catalog, cost_usd
from emafusion.config import CacheSection, Config, candidate_of
from emafusion.domain.model import Candidate
from emafusion.encode.taxonomy import AXES
from emafusion.flow.parts import Parts
from emafusion.gateway.batch_work import Asker
from emafusion.gateway.batching import Batches
from emafusion.gateway.reload import Reloader
from emafusion.gateway.reuse.exact import Cache
from emafusion.gateway.service import Service
from emafusion.home import home
from emafusion.store.estimates import LabelNames
from emafusion.store.log import OutcomeLog
from emafusion.store.shelf.sqlite_shelf import SqliteShelf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """A service and what it stands on. `reloader`: of its artifact; `keys`: of its clients.

    `batches`: to be kept `running` by whoever serves clients.
    """

    service: Service
    deployments: Deployments
    log: OutcomeLog
    reloader: Reloader
    keys: KeyRing
    batches: Batches


def today_catalog() -> Catalog:
    """The catalog with the prices of today: some changes are announced ahead."""
    return Catalog.load().on(datetime.now(tz=UTC).date())


def candidates_of(config: Config) -> tuple[Candidate, ...]:
    """The pool of a config, with what the catalog knows of each model."""
    catalog = today_catalog()
    return tuple(candidate_of(entry, catalog) for entry in config.models)


def parts_of(config: Config, candidates: tuple[Candidate, ...]) -> Parts:
    """Everything that decides, with the artifact that the config names. Opens no connection."""
    return build_parts(config, candidates, learned_from(load_artifact(config.policy.artifact)))


@asynccontextmanager
async def opened(config: Config, env: Mapping[str, str]) -> AsyncGenerator[Opened, None]:
    """Open a service; log, connections and local models are closed on leaving.

    Raises `BadInput` for what does not fit together, `Unready` for what is missing.
    """
    candidates = candidates_of(config)
    seen = artifact_mark(config)
    parts = parts_of(config, candidates)
    read = tried(lambda: parts_of(config, candidates), candidates, config)
    embedders = open_embedders(config, env)
    log = open_log(config, env)
    shelf = open_shelf(config, env)
    keys = open_keys(config, env)
    deployments, closing = None, ExitStack()
    try:
        deployments = open_deployments(config, env)
        pool = {candidate.name: candidate for candidate in candidates}
        watching = closing.enter_context(watched(config.telemetry, env, lambda: pool))
        service = Service(
            parts=parts,
            candidates=candidates,
            upstreams=deployments.upstreams,
            pricer=cost_usd,
            store=log,
            objective=config.objective.objective(),
            timeout_s=config.gateway.request_timeout_s,
            max_body=int(config.gateway.max_body_mb * 2**20),
            places=deployments.places,
            health=deployments.health,
            mercies=mercies(config, candidates),
            shelf=shelf,
            embedders=embedders,
            admission=admission_of(config, keys),
            keeps_responses=config.log.prompts == "full",
            cache=cache_of(config.cache),
            watching=watching,
        )
        batches = Batches(
            shelf=shelf,
            asker=Asker(service=service, keys=keys.store),
            at_once=config.batches.at_once,
        )
        service.wake_batches = batches.wake
        async with kept_new(service, read, config, seen=seen) as reloader:
            yield Opened(
                service=service,
                deployments=deployments,
                log=log,
                reloader=reloader,
                keys=keys,
                batches=batches,
            )
    finally:
        closing.close()
        if deployments is not None:
            await deployments.close()
        await keys.close()
        await embedders.close()
        await shelf.close()
        await log.close()


def cache_of(section: CacheSection) -> Cache | None:
    """The cache of a config; None where answers are not given again."""
    if section.ttl_s is None:
        return None
    room = int(section.max_mb * 2**20)
    return Cache(ttl_s=section.ttl_s, max_bytes=room, similarity=section.similarity)


def log_path(config: Config, env: Mapping[str, str]) -> Path:
    """Where the log of outcomes is."""
    return Path(config.log.path) if config.log.path else home(env) / "log.sqlite"


def open_log(config: Config, env: Mapping[str, str]) -> OutcomeLog:
    """Open the log of outcomes."""
    names = LabelNames(**{axis.name: axis.classes for axis in AXES})
    return OutcomeLog.open(
        log_path(config, env),
        prompts=config.log.prompts,
        names=names,
        retention_days=config.log.retention_days,
        max_mb=config.log.max_mb,
    )


def open_shelf(config: Config, env: Mapping[str, str]) -> SqliteShelf:
    """Open what is kept for clients: a file beside the log, made when it is first needed."""
    path = log_path(config, env)
    return SqliteShelf(
        path.with_name(f"{path.stem}-shelf.sqlite"),
        retention_days=config.log.retention_days,
        max_mb=config.log.max_mb,
    )
