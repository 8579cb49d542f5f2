"""Servers of models that already run on this machine, found on their usual ports."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import msgspec

from emafusion.domain.errors import Failure
from emafusion.upstream.address import Server
from emafusion.upstream.pool import Pool
from emafusion.upstream.request import HttpRequest
from emafusion.upstream.timeouts import Limits

USUAL_PORTS = (
    ("ollama", 11434),
    ("llama.cpp", 8080),
    ("vllm", 8000),
    ("lm-studio", 1234),
)
"""Kind of server and the port it listens on unless told otherwise."""

_WITHIN_S = 0.3
_LIST = HttpRequest(method="GET", target="/v1/models", headers=(("accept", "application/json"),))
_OWNERS = {
    "library": "ollama",
    "llamacpp": "llama.cpp",
    "vllm": "vllm",
    "organization_owner": "lm-studio",
    "sglang": "sglang",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundServer:
    """A server on this machine that lists models, at least one; `base_url` ends with `/v1`."""

    kind: str
    base_url: str
    models: tuple[str, ...]


class _Entry(msgspec.Struct):
    id: str
    owned_by: str = ""


class _Listing(msgspec.Struct):
    data: list[_Entry]


async def discover_servers(
    *, avoid_port: int | None = None, ports: tuple[tuple[str, int], ...] = USUAL_PORTS
) -> tuple[FoundServer, ...]:
    """Ask all ports at once for their models; never fails and takes 0.3 s at most.

    `avoid_port`: where we are about to listen ourselves. A gateway like us is left out too:
    routing to it would be routing to ourselves.
    """
    asked = [(kind, port) for kind, port in ports if port != avoid_port]
    pool = Pool(limits=Limits(max_body_bytes=1_048_576))
    try:
        found = await asyncio.gather(*(_ask(pool, kind, port) for kind, port in asked))
    finally:
        await pool.close()
    return tuple(server for server in found if server is not None)


async def _ask(pool: Pool, kind: str, port: int) -> FoundServer | None:
    try:
        async with asyncio.timeout(_WITHIN_S):
            listing = await _list(pool, port)
    except (Failure, TimeoutError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    owners = {entry.owned_by for entry in listing.data}
    if not listing.data or "emafusion" in owners:
        return None
    kind = next((_OWNERS[owner] for owner in sorted(owners) if owner in _OWNERS), kind)
    models = tuple(dict.fromkeys(entry.id for entry in listing.data if entry.id))
    return FoundServer(kind=kind, base_url=f"http://127.0.0.1:{port}/v1", models=models)


async def _list(pool: Pool, port: int) -> _Listing:
    server = Server(scheme="http", host="127.0.0.1", port=port)
    response = await pool.open(server, _LIST)
    try:
        body = await response.read()
        return msgspec.json.decode(body if response.status == 200 else b"", type=_Listing)
    finally:
        response.close()
