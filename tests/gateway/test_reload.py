"""Another artifact in a running gateway: nothing under way is lost, nothing wrong is served."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR, Gateway, in_thread, until
from tests.gateway.talking import QUESTION, chat, connection, rows, send

from emafusion.build.opening import Opened, opened
from emafusion.config import parse
from emafusion.domain.errors import BadInput
from emafusion.flow.parts import Parts
from emafusion.gateway.app import App
from emafusion.gateway.reload import Mark, Reloader
from emafusion.gateway.server import bind, serve
from emafusion.store.artifact import Artifact, load_default, save

ROUTED = {"model": "auto", "messages": QUESTION}


def default() -> Artifact:
    """What ships with the package."""
    found = load_default()
    assert found is not None
    return found


def put(folder: Path, number: int) -> str:
    """Put artifact `number` in place; its digest."""
    made = default()
    shifted = {"router/ability": made.arrays["router/ability"].astype(np.float64) + number / 100}
    arrays = {**made.arrays, **shifted}
    save(folder, arrays, made.card)
    return Artifact(arrays=arrays, card=made.card).digest


@dataclass(frozen=True, kw_only=True)
class Running:
    """A gateway whose artifact is in `folder`; `reload` has it read now."""

    gateway: Gateway
    folder: Path
    reload: Callable[[], bool]
    refused: Callable[[], str | None]


@pytest.fixture
def running(provider: Provider, tmp_path: Path) -> Iterator[Running]:
    """A gateway on artifact 1."""
    folder = tmp_path / "artifact"
    put(folder, 1)
    base = BASE.replace("explore_share: 0", f"explore_share: 0, artifact: '{folder}'")
    text = base + CHEAP_AND_DEAR.replace("URL", provider.url)
    env = {"EMAFUSION_HOME": str(tmp_path)}
    config = parse(text, source="test.yaml", env=env)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    up: list[tuple[Opened, asyncio.AbstractEventLoop]] = []

    async def work(stop: threading.Event, ready: Callable[[], None]) -> None:
        async with opened(config, env) as gateway:
            up.append((gateway, asyncio.get_running_loop()))
            await _serve(App(service=gateway.service), listener, ready, stop)

    end = in_thread(work)
    gateway, loop = up[0]

    def reload() -> bool:
        future = asyncio.run_coroutine_threadsafe(gateway.reloader.reload(), loop)
        return future.result(20)

    yield Running(
        gateway=Gateway(url=f"http://127.0.0.1:{port}", log=tmp_path / "log.sqlite"),
        folder=folder,
        reload=reload,
        refused=lambda: gateway.service.refused,
    )
    end()


async def _serve(
    app: App, listener: socket.socket, ready: Callable[[], None], stop: threading.Event
) -> None:
    task = asyncio.ensure_future(serve(app, listener, ready, grace_s=1))
    await until(stop, task)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def artifacts_logged(gateway: Gateway) -> list[str]:
    """Which artifact decided, request by request."""
    found = rows(gateway, "select tags from details order by id")
    return [dict(json.loads(tags))["artifact"] for tags in found]


def test_requests_across_swaps_all_succeed_and_say_who_decided(running: Running) -> None:
    """Two hundred requests while artifact after artifact takes over: none fails."""
    known = {put(running.folder, 1)}
    statuses: list[int] = []

    def ask() -> None:
        statuses.extend(chat(running.gateway).status for _ in range(50))

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for number in range(2, 8):
        known.add(put(running.folder, number))
        assert running.reload()
    for asker in askers:
        asker.join()
    assert statuses == [200] * 200
    logged = artifacts_logged(running.gateway)
    assert len(logged) == 200
    assert set(logged) <= known


def test_a_stream_under_way_is_whole_and_was_decided_by_the_old_one(
    running: Running, provider: Provider
) -> None:
    """The swap comes after the first chunk; every word arrives, and the log knows who decided."""
    words = " ".join(f"word{i}" for i in range(8))
    provider.script = dict.fromkeys(("cheap", "dear"), f"slow:{words}")
    talk = connection(running.gateway)
    body = json.dumps({"model": "auto", "messages": QUESTION, "stream": True})
    weight = {"x-emafusion-quality-weight": "1"}
    talk.request("POST", "/v1/chat/completions", body.encode(), weight)
    reply = talk.getresponse()
    lines = [reply.readline()]
    new = put(running.folder, 2)
    assert running.reload()
    lines += reply.read().split(b"\n")
    talk.close()
    assert words in _streamed(lines)
    assert chat(running.gateway).status == 200
    before, after = artifacts_logged(running.gateway)
    assert (before != new, after == new) == (True, True)


def _streamed(lines: list[bytes]) -> str:
    """Text of a stream that must have come to its end."""
    assert b"data: [DONE]" in lines
    data = [line.removeprefix(b"data: ") for line in lines if line.startswith(b"data: {")]
    choices = [choice for each in data for choice in json.loads(each)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


@pytest.mark.parametrize("wrong", ["cut", "no card", "another shape"])
def test_a_wrong_artifact_is_refused_and_the_old_one_serves_on(
    running: Running, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    """One clear line that names what is wrong; requests go on as before; a right one is taken."""
    (arrays,) = running.folder.glob("arrays*.npz")
    if wrong == "cut":
        arrays.write_bytes(arrays.read_bytes()[:1000])
    elif wrong == "no card":
        (running.folder / "card.json").write_text("{}")
    else:
        made = default()
        save(running.folder, {**made.arrays, "router/ability": np.zeros(3)}, made.card)
    assert not running.reload()
    told = running.refused()
    assert told is not None
    assert len(told.splitlines()) == 1
    assert any(name in told for name in ("arrays-", "card.json", "router/ability"))
    assert "the artifact in use stays" in caplog.text
    assert chat(running.gateway).status == 200
    state = send(running.gateway, "GET", "/ready").body
    assert (state["status"], str(running.folder) in str(state)) == ("degraded", False)
    new = put(running.folder, 5)
    assert running.reload()
    assert running.refused() is None
    state = send(running.gateway, "GET", "/ready").body
    assert (state["status"], state["artifact"], "refused" in state) == ("ready", new, False)
    plan = send(running.gateway, "POST", "/v1/route", json.dumps(ROUTED).encode()).body
    assert plan["artifact"] == new


def test_a_change_of_the_folder_is_seen_without_being_told(running: Running) -> None:
    """Within a few seconds the new artifact decides."""
    new = put(running.folder, 9)
    until_s = time.monotonic() + 15
    while time.monotonic() < until_s:
        assert chat(running.gateway).status == 200
        if artifacts_logged(running.gateway)[-1] == new:
            return
        time.sleep(0.1)
    pytest.fail("the new artifact was not picked up")


@dataclass
class _Decides:
    parts: Parts
    refused: str | None = None


async def test_it_looks_again_only_when_something_changed_or_somebody_asks() -> None:
    """A refused artifact is told once, not at every look."""
    reads: list[int] = []
    marks: list[Mark] = [(1,)]

    def read() -> Parts:
        reads.append(len(reads))
        raise BadInput("is wrong", where="made")

    parts = Parts.__new__(Parts)
    object.__setattr__(parts, "artifact", "old")
    service = _Decides(parts)
    reloader = Reloader(service, read, lambda: marks[0], seen=(1,), look_s=0.01)
    watching = asyncio.ensure_future(reloader.watch())
    await asyncio.sleep(0.1)
    assert reads == []
    marks[0] = (2,)
    await asyncio.sleep(0.2)
    assert reads == [0]
    reloader.ask()
    await asyncio.sleep(0.1)
    assert reads == [0, 1]
    assert service.refused == "made: is wrong"
    watching.cancel()
