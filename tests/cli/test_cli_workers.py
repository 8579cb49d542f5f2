"""`emafusion serve --workers N`: one port, one log, and nobody notices what happens to a worker."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import urllib.request
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from openai import OpenAI
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider
from tests.upstream.local.conftest import weights  # noqa: F401 - a fixture

from emafusion.cli.status import running

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="processes share no socket there")

Serve = Callable[..., Serving]


def ask(gateway: Serving, model: str = "auto", **headers: str) -> str:
    """One question on a connection of its own; what was answered."""
    body = {"model": model, "messages": [{"role": "user", "content": "Where?"}]}
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{gateway.url}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "connection": "close", **headers},
    )
    with urllib.request.urlopen(request, timeout=60) as reply:  # noqa: S310 - our own address
        return str(json.load(reply)["choices"][0]["message"]["content"])


def children(gateway: Serving) -> list[int]:
    """Process numbers of the workers."""
    pid = gateway._process.pid
    return sorted(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def counted(gateway: Serving) -> float:
    """Requests that all workers have counted together, by what any of them tells."""
    time.sleep(0.5)  # they count a little later
    with urllib.request.urlopen(f"{gateway.url}/metrics", timeout=10) as page:  # noqa: S310 - ours
        lines = page.read().decode().splitlines()
    own = [line for line in lines if line.startswith("emafusion_requests_total{")]
    return sum(float(line.rpartition(" ")[2]) for line in own)


def reloads() -> int:
    """How often the one gateway that runs was asked to read its config again."""
    ((_, told),) = running(Path(os.environ["EMAFUSION_HOME"]))
    return told.reloads


def logged(shell: Shell) -> int:
    """Requests in the log."""
    return len(shell.run("log", "--json").out.splitlines())


def gone_within(seconds: float, pids: list[int]) -> bool:
    """Whether these processes end by then."""
    deadline = time.monotonic() + seconds
    while any(Path(f"/proc/{pid}").exists() for pid in pids):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def test_all_answer_on_one_port_whatever_becomes_of_one(
    serve: Serve, shell: Shell, provider: Provider
) -> None:
    """Every answer is in the one log; a dead worker's share waits for its successor.

    When the parent is killed, its workers end too.
    """
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    gateway = serve("--workers", "2")
    first = children(gateway)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: ask(gateway), range(40))) == ["Oslo"] * 40
        assert counted(gateway) == 40
        os.kill(first[1], signal.SIGKILL)
        assert list(pool.map(lambda _: ask(gateway), range(40))) == ["Oslo"] * 40
    second = children(gateway)
    assert (len(first), len(second), first != second) == (2, 2, True)
    assert logged(shell) == 80
    gateway._process.kill()
    assert gone_within(10, second)


def test_signals_to_all_processes_at_once_end_it_gently(serve: Serve, provider: Provider) -> None:
    """As a terminal or a service manager sends them: what is under way is finished."""
    provider.script = {"dear": "slow:one two three four"}
    gateway = serve("--workers", "2")
    workers = children(gateway)
    with OpenAI(base_url=f"{gateway.url}/v1", api_key="unused", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="dear", messages=[{"role": "user", "content": "Count."}], stream=True
        )
        said = next(stream).choices[0].delta.content or ""
        for pid in (*workers, gateway._process.pid):
            os.kill(pid, signal.SIGTERM)
        said += "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert said == "one two three four"
    assert gateway._process.wait(10) == 0
    assert gone_within(1, workers)


def test_what_keeps_workers_from_beginning_is_told_once(shell: Shell) -> None:
    """One line, and the exit code of a gateway without workers."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(config.read_text().replace("explore_share: 0", "artifact: nowhere"))
    done = shell.run("serve", "--port", "0", "--workers", "2")
    assert (done.code, done.out) == (2, "")
    assert done.err == ("emafusion: nowhere/card.json: no artifact: No such file or directory\n")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_another_config_takes_over_and_a_wrong_one_does_not(
    serve: Serve, shell: Shell, provider: Provider, workers: str
) -> None:
    """While clients ask without a pause, nobody is turned away."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo", "third": "Oslo"}
    gateway = serve("--workers", workers)
    config = shell.folder / "emafusion.yaml"
    first = config.read_text()
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(lambda: [ask(gateway) for _ in range(60)])
        config.write_text(first.replace("name: dear", "name: third"))
        done = shell.run("reload")
        assert (done.code, done.err) == (0, ""), done
        assert done.out.startswith(f"another config is in use at {gateway.url}")
        assert asking.result() == ["Oslo"] * 60
    assert ask(gateway, "third") == "Oslo"
    config.write_text(first.replace("name: dear", "nam: third"))
    refused = shell.run("reload")
    assert refused.code == 2
    assert refused.err.startswith("emafusion.yaml:")
    before = reloads()
    gateway.send(signal.SIGHUP)
    while reloads() == before:
        time.sleep(0.02)
    assert ask(gateway, "third") == "Oslo"
    provider.seen.clear()
    once = {"idempotency-key": "whichever worker it comes to"}
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: ask(gateway, "third", **once), range(8))) == ["Oslo"] * 8
    assert len(provider.seen) == 1
    done = gateway.stop()
    assert "; the config in use stays" in done.err
    assert done.code == 0


def test_what_cannot_change_is_refused(serve: Serve, shell: Shell) -> None:
    """The port is not ignored silently."""
    gateway = serve()
    config = shell.folder / "emafusion.yaml"
    config.write_text(config.read_text() + "admin: {port: 0}\n")
    done = shell.run("reload")
    assert done.code == 1
    assert done.err == (
        "emafusion: refused: admin.port: cannot change while the gateway serves (from None to 0): "
        "restart it\n"
    )
    gateway.stop()


def test_reload_without_a_gateway_is_told(shell: Shell) -> None:
    """One line that says where it looked."""
    done = shell.run("reload")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith("emafusion: no gateway runs with ")


@pytest.mark.local_model
def test_a_local_model_runs_once_for_all_workers(
    empty: Shell,
    weights: Path,  # noqa: F811 - a fixture
) -> None:
    """The parent runs it; every worker may ask it."""
    models = "models: [{name: smollm2-135m, provider: local}]\n"
    config = f"{models}local: {{weights_dir: {weights.parent}}}\n"
    (empty.folder / "emafusion.yaml").write_text(config)
    gateway = Serving(empty.start("serve", "--port", "0", "--workers", "2"))
    try:
        with ThreadPoolExecutor(4) as pool:
            said = list(pool.map(lambda _: ask(gateway, "smollm2-135m"), range(4)))
        lines = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in children(gateway)]
        assert all(said)
        assert len([line for line in lines if b"emafusion.upstream.local" in line]) == 1
        assert len([line for line in lines if b"emafusion.cli.worker" in line]) == 2
        assert gateway.stop().code == 0
    finally:
        gateway.end()
