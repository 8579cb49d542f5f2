"""Zero configuration: the pool that can be had here.

Provider keys in the environment and local servers that answer; where there are none of both, the
embedded models.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from emafusion.build.opening import today_catalog
from emafusion.config import Config
from emafusion.config.discover import embedded_pool, pool_from_env, pool_from_servers
from emafusion.upstream.discover import discover_servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A config with the pool that was found, and where it was, in words."""

    config: Config
    told: str


async def find_pool(config: Config, env: Mapping[str, str], *, avoid_port: int) -> Found:
    """Find the pool; the embedded models where nothing else is there."""
    catalog = today_catalog()
    servers = await discover_servers(avoid_port=avoid_port)
    keyed, served = pool_from_env(env, catalog), pool_from_servers(servers)
    models = (*keyed, *served)
    told = _told(len({m.provider for m in keyed}), [server.kind for server in servers])
    if models:
        return Found(config=replace(config, models=models), told=told)
    return Found(config=replace(config, models=embedded_pool()), told=told)


def _told(providers: int, servers: list[str]) -> str:
    if not providers and not servers:
        return "no provider key and no local server found: the embedded models"
    keys = [f"keys of {providers} provider{'s' if providers > 1 else ''}"] if providers else []
    return f"found {' and '.join([*keys, *servers])}"
