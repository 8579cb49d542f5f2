"""The process and its state: killed, stopped, its log locked, deleted, full; its config broken."""

from __future__ import annotations

import contextlib
import http.client
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM

import pytest
from tests.faults.asking import ask, body_of, dial, everything, is_ended, post, status_of
from tests.faults.conftest import StartServed
from tests.faults.faulty import GOOD, GOOD_STREAM, SAID, WORDS, Faulty
from tests.faults.serving import Served, models, serve
from tests.gateway.talking import rows, send, until
from tests.upstream.fake_server import Hang, Pause, stream


@pytest.mark.parametrize("number", [SIGTERM, SIGINT])
def test_stopping_finishes_what_is_under_way(
    start_served: StartServed, faulty: Faulty, number: int
) -> None:
    """Told to stop, it takes nobody new, answers who is there, logs it, and ends with code 0."""
    served = start_served("one", "two")
    faulty.now["one"] = (Pause(0.8), *GOOD)
    faulty.now["two"] = (*GOOD_STREAM[:3], Pause(0.8), *GOOD_STREAM[3:])
    before = sum(faulty.calls.values())
    one, two, three = (dial(served.gateway) for _ in range(3))
    with one as whole, two as streamed, three as idle:
        whole.sendall(post(body_of("one")))
        streamed.sendall(post(body_of("two", stream=True)))
        until(lambda: sum(faulty.calls.values()) == before + 2)
        served.process.send_signal(number)
        assert everything(idle) == b"", "who says nothing is let go"
        until(lambda: not _is_open(served))
        told = everything(whole)
        assert status_of(told) == 200
        assert SAID.encode() in told
        assert b"data: [DONE]" in everything(streamed)
    assert served.ended() == 0
    assert rows(served.gateway) == [200, 200]


def test_stopping_has_an_end(start_served: StartServed, faulty: Faulty) -> None:
    """What does not finish in time is cut off, with its row, and the process ends all the same."""
    served = start_served("one", more="reliability: {drain_s: 0.5}")
    faulty.now["one"] = (*stream(*WORDS[:1], end=False), Hang())
    with dial(served.gateway) as talk:
        talk.sendall(post(body_of("one", stream=True)))
        assert talk.recv(10)
        served.signal(SIGTERM)
        assert b"[DONE]" not in everything(talk)
    assert served.ended(5.0) == 0
    assert rows(served.gateway) == [499]


def test_a_second_signal_ends_it_now(start_served: StartServed, faulty: Faulty) -> None:
    """Who is in a hurry says so twice."""
    served = start_served("one")
    faulty.now["one"] = (Hang(),)
    before = faulty.calls["one"]
    with dial(served.gateway) as talk:
        talk.sendall(post(body_of("one")))
        until(lambda: faulty.calls["one"] > before)
        served.signal(SIGTERM)
        time.sleep(0.3)
        assert served.process.poll() is None
        served.signal(SIGTERM)
        served.ended(3.0)


def test_nothing_that_was_answered_is_lost_by_a_kill(start_served: StartServed) -> None:
    """Killed under load, every answer that a client got whole is in the log."""
    served = start_served("one")
    got: list[str] = []

    def client() -> None:
        with contextlib.suppress(OSError, ValueError, http.client.HTTPException):
            while True:
                said = ask(served.gateway, "one", stream=len(got) % 2 == 0).said
                whole = is_ended(said) if said.raw.startswith(b"data") else bool(said.body)
                if said.status == 200 and whole:
                    got.append(said.headers["x-emafusion-decision-id"])

    clients = [threading.Thread(target=client, daemon=True) for _ in range(6)]
    for each in clients:
        each.start()
    until(lambda: len(got) > 60, seconds=20)
    served.signal(SIGKILL)
    served.ended()
    for each in clients:
        each.join(10)
    with closing(sqlite3.connect(served.gateway.log)) as db:
        logged = {row[0] for row in db.execute("select decision_id from outcomes")}
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    assert set(got) <= logged


def test_a_killed_gateway_starts_again(start_served: StartServed, faulty: Faulty) -> None:
    """After a kill the same log goes on."""
    served = start_served("one")
    assert ask(served.gateway, "one").said.status == 200
    served.signal(SIGKILL)
    served.ended()
    again = serve(served.folder, models(faulty.url, "one"))
    try:
        assert ask(again.gateway, "one").said.status == 200
        assert rows(again.gateway) == [200, 200]
    finally:
        again.stop()


def test_a_locked_log_stops_nobody(start_served: StartServed) -> None:
    """While another process holds the log's lock, clients get their answers within their time."""
    served = start_served("one")
    assert ask(served.gateway, "one").said.status == 200
    with closing(sqlite3.connect(served.gateway.log, isolation_level=None)) as db:
        db.execute("begin immediate")
        told = ask(served.gateway, "one", within_s=1.0)
        assert told.said.status == 200
        assert told.seconds < 1.6
        assert send(served.gateway, "GET", "/ready").body["status"] == "degraded"
        db.execute("rollback")
    until(lambda: ask(served.gateway, "one").said.status == 200)
    until(lambda: send(served.gateway, "GET", "/ready").body["status"] == "ready")


def test_a_deleted_log_is_made_anew(start_served: StartServed) -> None:
    """An operator who removes the file loses its rows and nothing else."""
    served = start_served("one")
    assert ask(served.gateway, "one").said.status == 200
    for file in served.folder.glob("log.sqlite*"):
        file.unlink()
    assert ask(served.gateway, "one").said.status == 200
    until(served.gateway.log.exists)
    assert ask(served.gateway, "one").said.status == 200
    until(lambda: len(rows(served.gateway)) >= 1)


def test_a_log_that_cannot_be_written_stops_nobody(start_served: StartServed) -> None:
    """A folder in the place of the file, as good as a full disk: answers go on, and it is told."""
    served = start_served("one")
    for file in served.folder.glob("log.sqlite*"):
        file.unlink()
    served.gateway.log.mkdir()
    told = ask(served.gateway, "one")
    assert told.said.status == 200
    assert told.seconds < 3.0
    ready = send(served.gateway, "GET", "/ready")
    assert (ready.status, ready.body["status"], ready.body["unlogged"]) == (200, "degraded", 1)
    until(lambda: "is not in the log" in "".join(served.lines))


def test_a_broken_config_is_one_line(faulty: Faulty, tmp_path: Path) -> None:
    """A gateway that cannot start says why, with the line, and ends with code 2."""
    with pytest.raises(AssertionError, match=r"emafusion.yaml:\d+: .*unknown key"):
        serve(tmp_path, models(faulty.url, "one"), more="reliabilty: {retries: 1}")


def test_a_hangup_changes_nothing(start_served: StartServed) -> None:
    """SIGHUP reads the artifact again, and the gateway goes on."""
    served = start_served("one")
    served.signal(SIGHUP)
    time.sleep(0.2)
    assert ask(served.gateway, "one").said.status == 200
    assert served.process.poll() is None


def _is_open(served: Served) -> bool:
    try:
        dial(served.gateway, 1.0).close()
    except OSError:
        return False
    return True
