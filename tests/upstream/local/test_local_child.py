"""The parent's side: started at once, ready later, restarted, ended; trouble is one line."""

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import openai
import pytest
from tests.upstream.local.test_local_weights import whole

from emafusion.upstream.local.child import LocalServer, LocalSpec
from emafusion.upstream.local.errors import ChildError

MODEL = "smollm2-135m"


@contextlib.asynccontextmanager
async def running(spec: LocalSpec) -> AsyncIterator[LocalServer]:
    """A started server that is stopped whatever happens."""
    server = LocalServer(spec)
    server.start()
    try:
        yield server
    finally:
        await server.stop()


async def until(condition: Callable[[], bool]) -> None:
    """Wait for what happens in another process, 30 s at most."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - nothing here could set an event
            await asyncio.sleep(0.01)


async def ask(server: LocalServer, text: str, model: str = MODEL) -> str | None:
    """One short answer by the official client."""
    async with openai.AsyncOpenAI(
        base_url=server.base_url, api_key=server.api_key, max_retries=0, timeout=60
    ) as client:
        reply = await client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], max_tokens=8
        )
    return reply.choices[0].message.content


async def test_a_missing_file_fails_with_one_line(tmp_path: Path) -> None:
    """The line names the file and what to do, and the port is closed."""
    async with running(LocalSpec(model=tmp_path / "nope.gguf", name="mine")) as server:
        with pytest.raises(ChildError, match=r"nope\.gguf: No such file.*name an existing"):
            await server.wait_ready()
        assert server.state == "failed"
        with pytest.raises(ChildError, match=r"nope\.gguf"):
            assert server.base_url


async def test_a_file_that_cannot_be_loaded_fails_with_one_line(tmp_path: Path) -> None:
    """A file the engine cannot load, or an engine that is not installed: one line, no traceback."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(whole([0]))
    async with running(LocalSpec(model=path, name="tiny")) as server:
        with pytest.raises(ChildError) as told:
            await server.wait_ready()
    assert "tiny.gguf" in str(told.value) or "pip install 'emafusion[local]'" in str(told.value)
    assert "\n" not in str(told.value)


async def test_the_embedded_pool_takes_only_the_known_weights(tmp_path: Path) -> None:
    """Without a name the child serves the embedded pool, for which the content is checked."""
    path = tmp_path / "tiny.gguf"
    path.write_bytes(whole([0]))
    async with running(LocalSpec(model=path)) as server:
        with pytest.raises(ChildError, match="emafusion models --fetch embedded"):
            await server.wait_ready()


async def test_starting_takes_no_time_and_stopping_is_repeatable(tmp_path: Path) -> None:
    """`start` and the address are there at once; `stop` may come at any moment, twice too."""
    server = LocalServer(LocalSpec(model=tmp_path / "nope.gguf"))
    with pytest.raises(ChildError, match="not started"):
        assert server.base_url
    started = time.perf_counter()
    server.start()
    server.start()
    assert time.perf_counter() - started < 0.1
    assert server.base_url.startswith("http://127.0.0.1:")
    states = [server.state]
    await server.stop()
    await server.stop()
    states.append(server.state)
    assert states == ["starting", "stopped"]
    with pytest.raises(ChildError):
        await server.wait_ready()


async def test_a_child_that_takes_too_long_is_given_up(tmp_path: Path) -> None:
    """A limit on loading ends it with a line that says so."""
    spec = LocalSpec(model=tmp_path / "nope.gguf", start_timeout_s=0.01)
    async with running(spec) as server:
        await until(lambda: server.reason is not None)
        assert server.reason is not None
        assert "not ready after 0.01 s" in server.reason
        assert server.state == "restarting"


def test_the_key_is_in_no_repr(tmp_path: Path) -> None:
    """Neither the server nor what it is made from shows the key."""
    server = LocalServer(LocalSpec(model=tmp_path))
    assert server.api_key not in repr(server)
    assert len(server.api_key) >= 32


def test_the_child_needs_its_key() -> None:
    """Started by hand without a key it says so, in one line, with exit code 2."""
    command = [sys.executable, "-m", "emafusion.upstream.local", "--model", "nope.gguf"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "EMAFUSION_LOCAL_KEY" in done.stderr


@pytest.mark.local_model
async def test_a_request_waits_for_the_model_to_load(weights: Path) -> None:
    """A request sent at once is answered as soon as the model is there."""
    async with running(LocalSpec(model=weights)) as server:
        assert "Paris" in (await ask(server, "What is the capital of France?") or "")
        assert server.state == "ready"
        assert await ask(server, "What is 12 times 7?", "calculator") == "84"


@pytest.mark.local_model
async def test_any_gguf_file_is_served_under_its_name(weights: Path) -> None:
    """A file named by the user is one model of that name, without the pool's actions."""
    async with running(LocalSpec(model=weights, name="mine")) as server:
        assert await ask(server, "Say hello.", "mine")
        with pytest.raises(openai.NotFoundError):
            await ask(server, "What is 12 times 7?", "calculator")


@pytest.mark.local_model
async def test_a_child_that_dies_is_restarted_at_the_same_address(weights: Path) -> None:
    """After a kill the state says so, and a request waits for the next life."""
    async with running(LocalSpec(model=weights)) as server:
        await server.wait_ready()
        url = server.base_url
        kill_child(server)
        await until(lambda: server.state == "restarting")
        assert server.reason == "the local model's process ended with code -9"
        assert await ask(server, "Say hello.")
        assert (server.base_url, server.restarts, server.state) == (url, 1, "ready")


def kill_child(server: LocalServer) -> None:
    """End the child without a word."""
    assert server._child is not None
    os.kill(server._child.pid, signal.SIGKILL)


@pytest.mark.local_model
async def test_the_child_never_outlives_its_parent(weights: Path) -> None:
    """When the parent is killed the child ends by itself within seconds."""
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from emafusion.upstream.local.child import LocalServer, LocalSpec\n"
        "async def main():\n"
        "    server = LocalServer(LocalSpec(model=Path(sys.argv[1])))\n"
        "    server.start()\n"
        "    await server.wait_ready()\n"
        "    print(server._child.pid, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "asyncio.run(main())\n"
    )
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, weights, stdout=subprocess.PIPE
    )
    assert parent.stdout is not None
    child = int(await parent.stdout.readline())
    parent.kill()
    await parent.wait()
    await until(lambda: not is_alive(child))


def is_alive(pid: int) -> bool:
    """Whether a process runs (one that ended and waits to be collected does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"
