"""Whether each deployment answers: a question that costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping

from emafusion.build.upstreams import DIALECTS
from emafusion.config import Config, ModelEntry
from emafusion.domain.errors import EmafusionError, Failure
from emafusion.upstream.address import parse_base_url
from emafusion.upstream.local.weights import find_embedded, models_dir
from emafusion.upstream.pool import Pool
from emafusion.upstream.proxy import proxies_from_environment
from emafusion.upstream.request import HttpRequest
from emafusion.upstream.timeouts import Timeouts

WITHIN_S = 5.0


async def reachable(config: Config, env: Mapping[str, str]) -> dict[str, str]:
    """For each deployment `ok` or, in a few words, what is wrong."""
    places = {entry.deployment: entry for entry in config.models}
    pool = Pool(proxies=proxies_from_environment(env))
    try:
        told = await asyncio.gather(*(_told(e, pool, env) for e in places.values()))
    finally:
        await pool.close()
    return dict(zip(places, told, strict=True))


async def _told(entry: ModelEntry, pool: Pool, env: Mapping[str, str]) -> str:
    try:
        if entry.dialect == "local":
            return _weights(entry, env)
        if entry.dialect == "litellm":
            return "asked only when called"
        async with asyncio.timeout(WITHIN_S):
            return await _listed(entry, pool, env)
    except TimeoutError:
        return f"no answer in {WITHIN_S:g} s"
    except EmafusionError as error:
        return str(error)


def _weights(entry: ModelEntry, env: Mapping[str, str]) -> str:
    if entry.gguf is None:
        find_embedded(models_dir(env))
    return "ok"


async def _listed(entry: ModelEntry, pool: Pool, env: Mapping[str, str]) -> str:
    """Ask for the list of models: every dialect has one, and it is free."""
    key = env.get(entry.key_env or "", "").strip()
    if entry.key_env and not key:
        return f"{entry.key_env} is not set"
    dialect = DIALECTS[entry.dialect]()
    default = parse_base_url(dialect.base_url)
    base = parse_base_url(entry.address) if entry.address else default
    headers = (*dialect.auth(key), ("accept", "application/json"))
    target = base.target("/models", default=default)
    request = HttpRequest(method="GET", target=target, headers=headers, body=b"")
    response = await pool.open(base.server, request, Timeouts(connect_s=WITHIN_S))
    try:
        body = await response.read()
        failure: Failure | None = None
        if response.status != 200:
            failure = dialect.failure(response.status, response.headers, body)
        return "ok" if failure is None else f"{response.status}: {failure}"[:80]
    finally:
        response.close()
