"""Hosts with several addresses: the first that answers is taken, nothing else stays open."""

from __future__ import annotations

import asyncio
import socket
import time

import pytest
from tests.upstream.fake_server import FakeServer

from emafusion.upstream.race import _by_turns, _race, _sweep, open_socket

IPV4 = socket.AF_INET


def silent_port() -> tuple[socket.socket, list[socket.socket]]:
    """Make a listener whose queue is full, so that connecting to it hangs."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(0)
    waiting = []
    for _ in range(4):
        sock = socket.socket()
        sock.setblocking(False)  # noqa: FBT003 # its only parameter
        sock.connect_ex(listener.getsockname())
        waiting.append(sock)
    return listener, waiting


async def race_to(*ports: int) -> tuple[int, float]:
    """Race to these ports; which one won and after how many seconds."""
    attempts: list[asyncio.Task[socket.socket]] = []
    began = time.perf_counter()
    try:
        sock = await _race([(IPV4, ("127.0.0.1", port)) for port in ports], attempts)
    finally:
        await _sweep(attempts)
    won: int = sock.getpeername()[1]
    sock.close()
    return won, time.perf_counter() - began


async def test_a_name_leads_to_whichever_family_answers(server: FakeServer) -> None:
    """`localhost` may be two addresses, of which only one listens."""
    sock = await open_socket("localhost", server.port)
    assert sock.getpeername()[1] == server.port
    assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
    sock.close()


def test_families_take_turns() -> None:
    """If one family does not work at all, the second attempt already is of the other."""
    six = [(socket.AF_INET6, (f"::{n}", 1)) for n in range(3)]
    four = [(IPV4, (f"1.1.1.{n}", 1)) for n in range(2)]
    assert _by_turns([*six, *four]) == [six[0], four[0], six[1], four[1], six[2]]
    assert _by_turns(four) == four


async def test_a_refusal_moves_on_at_once(server: FakeServer, unused_tcp_port: int) -> None:
    """No time is lost on an address that refuses."""
    won, took_s = await race_to(unused_tcp_port, server.port)
    assert won == server.port
    assert took_s < 0.2


async def test_silence_moves_on_soon(server: FakeServer) -> None:
    """An address that does not answer delays by a quarter of a second, not by a timeout."""
    listener, waiting = silent_port()
    won, took_s = await race_to(listener.getsockname()[1], server.port)
    assert won == server.port
    assert 0.2 < took_s < 1.0
    for sock in (*waiting, listener):
        sock.close()


async def test_the_first_error_is_told_where_none_answers(unused_tcp_port: int) -> None:
    """When all refuse, it is an error of the system."""
    with pytest.raises(ConnectionRefusedError):
        await race_to(unused_tcp_port, unused_tcp_port)


async def test_leaving_the_race_leaves_nothing_behind() -> None:
    """A cancelled connect ends its attempts."""
    listener, waiting = silent_port()
    port = listener.getsockname()[1]
    racing = asyncio.create_task(race_to(port, port))
    await asyncio.sleep(0.35)
    racing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await racing
    assert asyncio.all_tasks() == {asyncio.current_task()}
    for sock in (*waiting, listener):
        sock.close()
