"""Whether each deployment answers: a question that costs nothing."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from emafusion.build.upstreams import DIALECTS, local_file
from emafusion.cli.printable import one_line
from emafusion.config import Config, ModelEntry, places_of
from emafusion.domain.errors import EmafusionError
from emafusion.upstream.address import parse_base_url
from emafusion.upstream.pool import Pool
from emafusion.upstream.proxy import proxies_from_environment
from emafusion.upstream.request import HttpRequest
from emafusion.upstream.timeouts import Timeouts
from emafusion.wire.error_body import read_trouble

WITHIN_S = 5.0
OK = "ok"
UNKNOWN = "known when called"
"""For what lies behind a library that has no question that costs nothing."""

_SEVERAL = re.compile(r"\d+ of \d+ answer")


async def reachable(config: Config, env: Mapping[str, str]) -> dict[str, str]:
    """For each deployment `ok`, or what is wrong, or that only a call can tell.

    Where a model has several, for all of them together.
    """
    models = {entry.deployment: places_of(entry) for entry in config.models}
    places = {place.deployment: place for entries in models.values() for place in entries}
    pool = Pool(proxies=proxies_from_environment(env))
    try:
        ask = _Asker(config=config, pool=pool, env=env)
        told = await asyncio.gather(*map(ask.told, places.values()))
    finally:
        await pool.close()
    known = dict(zip(places, told, strict=True))
    return {
        name: _together([known[place.deployment] for place in entries])
        for name, entries in models.items()
    }


def shortly(told: str) -> str:
    """What is wrong, in a word or two.

    >>> shortly("1 of 2 answer; #2: 401: wrong key"), shortly("401: wrong key"), shortly(OK)
    ('1 of 2 answer', 'down', 'ok')
    """
    if told in {OK, UNKNOWN}:
        return told
    several = _SEVERAL.match(told)
    return "down" if several is None else several[0]


def _together(told: Sequence[str]) -> str:
    """What the deployments of one model say."""
    wrong = [f"#{n}: {each}" for n, each in enumerate(told, 1) if each not in {OK, UNKNOWN}]
    if len(told) == 1 or not wrong:
        return told[0]
    return f"{len(told) - len(wrong)} of {len(told)} answer; {'; '.join(wrong)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asker:
    config: Config
    pool: Pool
    env: Mapping[str, str]

    async def told(self, entry: ModelEntry) -> str:
        """What one deployment says."""
        try:
            if entry.dialect == "local":
                local_file(entry, self.config, self.env)
                return OK
            if entry.dialect == "litellm":
                return UNKNOWN
            async with asyncio.timeout(WITHIN_S):
                return await self._listed(entry)
        except TimeoutError:
            return f"no answer in {WITHIN_S:g} s"
        except EmafusionError as error:
            return one_line(str(error))

    async def _listed(self, entry: ModelEntry) -> str:
        """Ask for the list of models: every dialect has one, and it is free."""
        key = self.env.get(entry.key_env or "", "").strip()
        if entry.key_env and not key:
            return f"{entry.key_env} is not set"
        dialect = DIALECTS[entry.dialect]()
        default = parse_base_url(dialect.base_url)
        base = parse_base_url(entry.address) if entry.address else default
        headers = (*dialect.auth(key), ("accept", "application/json"))
        target = base.target("/models", default=default)
        request = HttpRequest(method="GET", target=target, headers=headers, body=b"")
        response = await self.pool.open(base.server, request, Timeouts(connect_s=WITHIN_S))
        try:
            body = await response.read()
            if response.status == 200:
                return OK
            failure = read_trouble(body).failure(response.status, response.headers)
            return one_line(f"{response.status}: {failure}")[:200]
        finally:
            response.close()
