"""From a config to a service that is ready to answer, with everything closed after."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from emafusion.build.auditing import audited
from emafusion.build.embedders import open_embedders
from emafusion.build.holding import Held, hold
from emafusion.build.keys import KeyRing, admission_of
from emafusion.build.meaning import open_meaning
from emafusion.build.pacing import pacer_of, pacing
from emafusion.build.parts import build_parts, learned_from, load_artifact
from emafusion.build.promising import Promise, promise_of
from emafusion.build.reliability import mercies
from emafusion.build.reloading import artifact_mark, kept_new, tried
from emafusion.build.standing import ALONE, Standing
from emafusion.build.state import Log
from emafusion.build.upstreams import Deployments, open_deployments
from emafusion.build.watching import watched
from emafusion.catalog import Catalog, cost_usd
from emafusion.config import CacheSection, Config, candidate_of
from emafusion.domain.errors import BadInput
from emafusion.domain.model import Candidate
from emafusion.flow.parts import Parts
from emafusion.gateway.batch_work import Asker
from emafusion.gateway.batching import Batches
from emafusion.gateway.embedders import Embedders
from emafusion.gateway.reload import Reloader
from emafusion.gateway.reuse.exact import Cache
from emafusion.gateway.reuse.once import Once
from emafusion.gateway.reuse.together import Together
from emafusion.gateway.service import Service
from emafusion.gateway.sharing import Sharing
from emafusion.store.shared import Shared
from emafusion.store.shelf.ports import Shelf


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """A service and what it stands on. `reloader`: of its artifact; `keys`: of its clients.

    `batches`: to be kept `running` by whoever serves clients; `promise`: what is certified of its
    answers and audited, None where nothing is.
    """

    service: Service
    deployments: Deployments
    log: Log
    reloader: Reloader
    keys: KeyRing
    batches: Batches
    promise: Promise | None = None


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


def with_meaning(embedders: Embedders, config: Config, env: Mapping[str, str]) -> Embedders:
    """With what gives queries the vectors that the artifact reads, if it reads any."""
    needed = learned_from(load_artifact(config.policy.artifact)).embedding
    if needed is None:
        return embedders
    return replace(embedders, meaning=open_meaning(needed, config, env))


def parts_read_by(embedders: Embedders, config: Config, candidates: tuple[Candidate, ...]) -> Parts:
    """Parts of the artifact that is there now.

    Raises `BadInput` where it reads queries by another encoder than is open.
    """
    learned, meaning = learned_from(load_artifact(config.policy.artifact)), embedders.meaning
    if learned.embedding not in {None, None if meaning is None else meaning.name}:
        told = f"reads queries by {learned.embedding}, which is opened at start-up alone"
        raise BadInput(told, where=config.policy.artifact)
    return build_parts(config, candidates, learned)


@asynccontextmanager
async def opened(
    config: Config, env: Mapping[str, str], standing: Standing = ALONE
) -> AsyncGenerator[Opened, None]:
    """Open a service; log, connections and local models are closed on leaving.

    Raises `BadInput` for what does not fit together, `Unready` for what is missing.
    """
    candidates = candidates_of(config)
    seen = artifact_mark(config)
    parts = parts_of(config, candidates)
    async with AsyncExitStack() as closing:
        held = hold(closing, config, env, standing=standing)
        embedders = with_meaning(open_embedders(config, env), config, env)
        closing.push_async_callback(embedders.close)
        read = tried(lambda: parts_read_by(embedders, config, candidates), candidates, config)
        promise = promise_of(config, candidates, parts.artifact)
        deployments = open_deployments(config, env, models=standing.models)
        closing.push_async_callback(deployments.close)
        pool = {candidate.name: candidate for candidate in candidates}
        pacer = pacer_of(config, held.keys)
        watching = closing.enter_context(
            watched(config.telemetry, env, lambda: pool, more=() if pacer is None else (pacer,))
        )
        service = _service(config, parts, candidates, deployments=deployments, held=held)
        service.embedders, service.watching = embedders, watching
        batches = _batches(config, service, shelf=held.shelf, keys=held.keys)
        _share(service, held.shared)
        async with (
            pacing(pacer, service),
            kept_new(service, read, config, seen=seen) as reloader,
            audited(service, promise, held.feedback),
        ):
            yield Opened(
                service=service,
                deployments=deployments,
                log=held.log,
                reloader=reloader,
                keys=held.keys,
                batches=batches,
                promise=promise,
            )


def _service(
    config: Config,
    parts: Parts,
    candidates: tuple[Candidate, ...],
    *,
    deployments: Deployments,
    held: Held,
) -> Service:
    """The service, over what was opened."""
    return Service(
        parts=parts,
        candidates=candidates,
        upstreams=deployments.upstreams,
        pricer=cost_usd,
        store=held.log,
        objective=config.objective.objective(),
        timeout_s=config.gateway.request_timeout_s,
        max_body=int(config.gateway.max_body_mb * 2**20),
        places=deployments.places,
        health=deployments.health,
        mercies=mercies(config, candidates),
        shelf=held.shelf,
        feedback=held.feedback,
        admission=admission_of(config, held.keys),
        keeps_responses=config.log.prompts == "full",
        cache=cache_of(config.cache, held.together),
        once=Once(together=held.together),
    )


def _share(service: Service, shared: Shared | None) -> None:
    """Let it learn from other replicas or workers, where there are any."""
    if shared is not None:
        sharing = Sharing(shared, service.health)
        service.turns, service.warmth = sharing.turns, sharing.warmth
        sharing.start()


def cache_of(section: CacheSection, together: Together | None) -> Cache | None:
    """The cache of a config; None where answers are not given again."""
    if section.ttl_s is None:
        return None
    room = int(section.max_mb * 2**20)
    return Cache(
        ttl_s=section.ttl_s, max_bytes=room, similarity=section.similarity, together=together
    )


def _batches(config: Config, service: Service, *, shelf: Shelf, keys: KeyRing) -> Batches:
    """What answers batches, and is told of new ones."""
    asker = Asker(service=service, keys=keys.store)
    batches = Batches(shelf=shelf, asker=asker, at_once=config.batches.at_once)
    service.wake_batches = batches.wake
    return batches
