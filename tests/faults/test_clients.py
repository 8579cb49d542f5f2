"""Clients that leave, stall, drip or flood: cut off by stated limits, and nobody else notices."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest
from tests.faults.asking import ask, at_once, body_of, dial, everything, post, status_of
from tests.faults.conftest import StartServed
from tests.faults.faulty import GOOD, GOOD_STREAM, WORDS, Faulty
from tests.faults.serving import Served, models, serve
from tests.gateway.talking import Said, rows, until
from tests.upstream.fake_server import Hang, Pause, Say, Script, chunk, stream

QUICK = "reliability: {client_head_s: 0.6, client_body_s: 1.5, client_stall_s: 0.6}"
LAST = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n"


@pytest.fixture(scope="module")
def patient(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway as it is without a word in its config."""
    served = serve(tmp_path_factory.mktemp("patient"), models(faulty.url, "one", "two"))
    yield served
    served.stop()


@pytest.fixture(scope="module")
def hasty(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A gateway that soon has enough of slow clients."""
    served = serve(tmp_path_factory.mktemp("hasty"), models(faulty.url, "one"), more=QUICK)
    yield served
    served.stop()


@pytest.fixture(autouse=True)
def _as_it_should(faulty: Faulty) -> None:
    """Every test begins with a provider that does what it should."""
    faulty.now.clear()


@pytest.mark.parametrize("streams", [False, True])
@pytest.mark.parametrize("when", ["before", "after-a-word"])
def test_client_gone_provider_gone(
    patient: Served, faulty: Faulty, when: str, *, streams: bool
) -> None:
    """Within a second of a client's leaving its provider's call is ended, and it is logged."""
    script: Script = (Hang(),)
    if when != "before":
        half = stream(*WORDS[:2], end=False) if streams else (Say(b"HTTP/1.1 200 OK\r\n"),)
        script = (*half, Hang())
    faulty.now["one"] = script
    before, gone = faulty.calls["one"], len(faulty.left)
    known = len(rows(patient.gateway))
    with dial(patient.gateway) as talk:
        talk.sendall(post(body_of("one", stream=streams)))
        until(lambda: faulty.calls["one"] > before)
        if streams and when != "before":
            assert talk.recv(9)
    left = time.monotonic()
    until(lambda: len(faulty.left) > gone)
    assert faulty.left[-1] - left < 1.0
    until(lambda: rows(patient.gateway)[known:] == [499])


def test_reset_is_leaving_too(patient: Served, faulty: Faulty) -> None:
    """A connection that is reset ends its call as well."""
    faulty.now["one"] = (Hang(),)
    before, gone = faulty.calls["one"], len(faulty.left)
    talk = dial(patient.gateway)
    talk.sendall(post(body_of("one")))
    until(lambda: faulty.calls["one"] > before)
    talk.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    talk.close()
    until(lambda: len(faulty.left) > gone, seconds=1.0)


def test_slow_heads_are_cut(hasty: Served) -> None:
    """Two hundred connections that drip their heads are cut; others are answered at once."""
    started = time.monotonic()
    talks = [dial(hasty.gateway, 5.0) for _ in range(200)]
    try:
        for n, talk in enumerate(talks):
            talk.sendall(b"" if n % 4 == 0 else HEAD)
        told = at_once(lambda _: ask(hasty.gateway, "one"), range(20), width=4)
        assert all(each.said.status == 200 and each.seconds < 1.0 for each in told)
        for talk in talks[1::4]:
            with contextlib.suppress(OSError):
                talk.sendall(b"x-a: b\r\n")  # a drip moves nothing
        ends = [everything(talk) for talk in talks]
    finally:
        for talk in talks:
            talk.close()
    assert time.monotonic() - started < 5.0
    assert all(end == b"" or status_of(end) == 408 for end in ends)


def test_slow_bodies_are_cut(hasty: Served, faulty: Faulty) -> None:
    """Half a body and silence, or a drip of bytes without end: a 408, and no call."""
    before = faulty.calls["one"]
    body = body_of("one")
    with dial(hasty.gateway, 5.0) as silent, dial(hasty.gateway, 5.0) as dripping:
        started = time.monotonic()
        silent.sendall(post(body)[:-10])
        dripping.sendall(post(body)[: -len(body)])
        for n in range(60):
            with contextlib.suppress(OSError):
                dripping.sendall(body[n : n + 1])
            time.sleep(0.03)
        assert status_of(everything(dripping)) == 408
        assert status_of(everything(silent)) == 408
    assert time.monotonic() - started < 4.0
    assert faulty.calls["one"] == before


def test_reader_that_takes_nothing_is_cut(hasty: Served, faulty: Faulty) -> None:
    """A stream that nobody reads is given up, its provider's call and its memory too."""
    word = Say(chunk(f"data: {WORDS[0]}\n\n".encode() * 300))
    faulty.now["one"] = (*GOOD_STREAM[:1], *(word for _ in range(400)), Pause(20.0))
    before = hasty.resident_mb
    with dial(hasty.gateway) as talk:
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        talk.sendall(post(body_of("one", stream=True)))
        until(lambda: faulty.busy == 1)
        until(lambda: faulty.busy == 0, seconds=6.0)
        assert hasty.resident_mb < before + 30
        until(lambda: rows(hasty.gateway)[-1:] == [499])


def test_reader_that_is_slow_gets_everything(hasty: Served, faulty: Faulty) -> None:
    """Slow is not stalled: who takes a little now and then gets the whole stream."""
    word = Say(chunk(f"data: {WORDS[0]}\n\n".encode() * 300))
    faulty.now["one"] = (*GOOD_STREAM[:1], *(word for _ in range(40)), *GOOD_STREAM[-3:])
    with dial(hasty.gateway) as talk:
        talk.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65_536)
        talk.sendall(post(body_of("one", stream=True), "connection: close"))
        told = b""
        while part := talk.recv(65_536):
            told += part
            time.sleep(0.01)
    assert told.count(b"Oslo") == 40 * 300
    assert b"data: [DONE]" in told


def test_half_a_request_and_gone(patient: Served, faulty: Faulty) -> None:
    """Whatever part of a request came before the client left, nobody is called for it."""
    before, known = faulty.calls["one"], len(rows(patient.gateway))
    whole = post(body_of("one"))
    for size in (0, 1, 10, 60, len(whole) - 30, len(whole) - 1):
        with dial(patient.gateway) as talk:
            talk.sendall(whole[:size])
    assert ask(patient.gateway, "one").said.status == 200
    assert faulty.calls["one"] == before + 1
    assert len(rows(patient.gateway)) == known + 1


def test_pipelined_requests_keep_their_order(patient: Served, faulty: Faulty) -> None:
    """Requests that are sent ahead are answered in order, one at a time, however many."""
    faulty.now["one"] = (Pause(0.05), *GOOD)
    ahead = [post(body_of("one" if n % 2 else "two")) for n in range(20)]
    with dial(patient.gateway) as talk:
        talk.sendall(b"".join(ahead) + LAST)
        told = everything(talk)
    order = [b'"model":"one"' in part for part in told.split(b"HTTP/1.1 200 OK")[1:-1]]
    assert order == [bool(n % 2) for n in range(20)]


def test_expectations_are_met(start_served: StartServed) -> None:
    """A client that asks first is told to go on, or is refused before it sends."""
    served = start_served("one", gateway=", max_body_mb: 0.001")
    head = "expect: 100-continue"
    with dial(served.gateway, 5.0) as talk:
        data = post(body_of("one"), head, "connection: close")
        talk.sendall(data[: -len(body_of("one"))])
        assert talk.recv(25).startswith(b"HTTP/1.1 100 ")
        talk.sendall(body_of("one"))
        assert b"HTTP/1.1 200" in everything(talk)
    large = body_of("one", user="x" * 2000)
    with dial(served.gateway, 5.0) as talk:
        talk.sendall(post(large, head)[: -len(large)])
        assert status_of(everything(talk)) == 413


def test_body_that_is_too_large(start_served: StartServed, faulty: Faulty) -> None:
    """Told by its length before it is read, else as soon as it is over; memory stays."""
    served = start_served("one", gateway=", max_body_mb: 1")
    before, calls = served.resident_mb, faulty.calls["one"]
    large = body_of("one", user="x" * 30_000_000)
    chunks = [chunk(large[at : at + 65_536]) for at in range(0, len(large) + 65_536, 65_536)]
    close = b"connection: close\r\ntransfer-encoding: chunked\r\n\r\n"
    for data in (post(large, "connection: close"), HEAD + close + b"".join(chunks)):
        with dial(served.gateway, 10.0) as talk:
            with contextlib.suppress(OSError):
                talk.sendall(data)
            assert status_of(everything(talk)) == 413
    assert served.resident_mb < before + 20
    assert faulty.calls["one"] == calls


def test_bodies_of_all_together_are_bounded(start_served: StartServed) -> None:
    """Large bodies that drip take only the memory meant for them; small ones get through."""
    served = start_served("one", gateway=", max_bodies_mb: 8")
    before = served.resident_mb
    large = body_of("one", user="x" * 6_000_000)
    talks = [dial(served.gateway) for _ in range(12)]
    try:
        at_once(lambda talk: _sent(talk, post(large)[:-5]), talks)
        until(lambda: _large(served).status == 429, 10.0)
        assert ask(served.gateway, "one").said.status == 200
        refused = _large(served)
        assert refused.error["code"] == "too_many_requests"
        assert "max_bodies_mb" in refused.error["message"]
        assert int(refused.headers["retry-after"]) >= 1
        assert served.resident_mb < before + 40
    finally:
        for talk in talks:
            talk.close()
    until(lambda: _large(served).status != 429, 10.0)


def _large(served: Served) -> Said:
    return ask(served.gateway, "one", user="x" * 6_000_000).said


def _sent(talk: socket.socket, data: bytes) -> None:
    with contextlib.suppress(OSError):
        talk.sendall(data)


def test_too_many_at_once_are_told_to_come_back(start_served: StartServed, faulty: Faulty) -> None:
    """Over its limit the gateway says so at once, with a time; who was let in is answered."""
    served = start_served("one", gateway=", max_concurrent: 8")
    faulty.now["one"] = (Pause(0.5), *GOOD)
    told = at_once(lambda _: ask(served.gateway, "one"), range(32))
    status = [each.said.status for each in told]
    assert set(status) == {200, 429}
    assert status.count(200) >= 8
    shed = [each for each in told if each.said.status == 429]
    assert all(int(each.said.headers["retry-after"]) >= 1 for each in shed)
    assert all(each.said.error["code"] == "too_many_requests" for each in shed)
    assert faulty.most <= 8
    faulty.now.clear()
    assert ask(served.gateway, "one").said.status == 200


def test_idle_connections_cost_nobody(patient: Served) -> None:
    """Five hundred connections that say nothing leave room for everybody else."""
    talks = [dial(patient.gateway) for _ in range(500)]
    try:
        told = at_once(lambda _: ask(patient.gateway, "one"), range(10), width=2)
        assert all(each.said.status == 200 and each.seconds < 1.0 for each in told)
    finally:
        for talk in talks:
            talk.close()


def test_what_is_sent_ahead_takes_nobody_s_place(start_served: StartServed, faulty: Faulty) -> None:
    """Requests behind another one, and bodies that drip, do not count among those under way."""
    served = start_served("one", "two", gateway=", max_concurrent: 4")
    faulty.now["one"] = (Hang(),)
    drip = post(body_of("two"))[:-5]
    talks = [dial(served.gateway) for _ in range(21)]
    try:
        talks[0].sendall(post(body_of("one")) * 30)
        for talk in talks[1:]:
            talk.sendall(drip)
        until(lambda: faulty.busy == 1)
        assert ask(served.gateway, "two").said.status == 200
    finally:
        for talk in talks:
            talk.close()
