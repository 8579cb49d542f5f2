"""Servers on this machine, found by asking; never a failure, never ourselves."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest
from tests.upstream.fake_server import FakeServer, Hang, Reset, Say, Script, reply

from emafusion.upstream.discover import FoundServer, discover_servers


def listing(*entries: tuple[str, str]) -> Script:
    """List models with their owners."""
    data = [{"id": name, "object": "model", "owned_by": owner} for name, owner in entries]
    return reply(msgspec.json.encode({"object": "list", "data": data}))


async def test_a_server_is_found_with_its_models(server: FakeServer) -> None:
    """Kind, address and models come back, doubles dropped."""
    server.will(listing(("llama3.2:3b", "library"), ("qwen", "library"), ("qwen", "library")))
    found = await discover_servers(ports=(("something", server.port),))
    base_url = f"http://127.0.0.1:{server.port}/v1"
    assert found == (FoundServer(kind="ollama", base_url=base_url, models=("llama3.2:3b", "qwen")),)
    assert (server.seen[0].method, server.seen[0].target) == ("GET", "/v1/models")


async def test_the_port_names_a_server_that_does_not_name_itself(server: FakeServer) -> None:
    """An owner nobody knows leaves the kind to the port."""
    server.will(listing(("m", "me")))
    found = await discover_servers(ports=(("vllm", server.port),))
    assert found[0].kind == "vllm"


@pytest.mark.parametrize(
    "script",
    [
        listing(("emafusion/auto", "emafusion"), ("gpt", "openai")),
        listing(),
        reply(b"<html>Hello</html>", headers={"content-type": "text/html"}),
        reply(b'{"data": {"id": "m"}}'),
        reply(b'{"data": [{"name": "m"}]}'),
        reply(b'{"error": "no"}', status=401),
        reply(b"[" * 100_000),
        (Reset(),),
        (Hang(),),
        (Say(b"220 ftp ready\r\n"), Hang()),
    ],
)
async def test_what_is_no_server_of_models_is_left_out(server: FakeServer, script: Script) -> None:
    """Another program, one like ourselves or a silent one is no harm and costs no time."""
    server.will(*script)
    began = time.perf_counter()
    assert await discover_servers(ports=(("vllm", server.port),)) == ()
    assert time.perf_counter() - began < 2.0


async def test_our_own_port_is_not_asked(server: FakeServer) -> None:
    """Where we are about to listen nobody is looked for."""
    server.will(listing(("m", "me")))
    assert await discover_servers(avoid_port=server.port, ports=(("x", server.port),)) == ()
    assert not server.accepted


async def test_all_are_asked_at_once(server: FakeServer, unused_tcp_port: int) -> None:
    """A silent one and a dead one do not delay the one that answers; order is that of asking."""
    server.will(listing(("m", "vllm")))
    async with FakeServer() as silent:
        silent.will(Hang())
        ports = (("a", silent.port), ("b", unused_tcp_port), ("c", server.port))
        began = time.perf_counter()
        found = await discover_servers(ports=ports)
    assert [one.kind for one in found] == ["vllm"]
    assert time.perf_counter() - began < 2.0
    assert asyncio.all_tasks() - server._tasks - silent._tasks == {asyncio.current_task()}
