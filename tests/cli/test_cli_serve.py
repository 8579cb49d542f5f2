"""`emafusion serve`: what it prints works, and it ends when it is told to."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable

import pytest
from openai import OpenAI
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider

Serve = Callable[..., Serving]


def test_a_client_gets_an_answer(serve: Serve, provider: Provider) -> None:
    """The address that is printed is one that the official client can be pointed at."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    gateway = serve()
    with OpenAI(base_url=f"{gateway.url}/v1", api_key="unused") as client:
        said = client.chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "Where?"}]
        )
    assert said.choices[0].message.content == "Oslo"


def test_the_pool_is_told(serve: Serve, shell: Shell) -> None:
    """Where the config is from, each model with its prices, and where the log is."""
    welcome = serve().welcome
    assert "pool: emafusion.yaml" in welcome
    assert "cheap" in welcome
    assert "100,000" in welcome
    assert f"log: {os.environ['EMAFUSION_HOME']}/log.sqlite" in welcome
    assert "\x1b" not in welcome
    assert "embedded" not in welcome
    assert shell.folder.exists()


def test_the_snippet_runs(serve: Serve, provider: Provider) -> None:
    """What is printed to be pasted into Python is a program that works."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    code = serve().welcome.partition("from openai")[2].partition("Shell:")[0]
    done = subprocess.run(
        [sys.executable, "-c", f"from openai{code}"], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.returncode) == ("Oslo\n", 0), done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("keyed", [False, True])
def test_the_curl_runs(serve: Serve, provider: Provider, *, keyed: bool) -> None:
    """What is printed to be pasted into a shell works, with a key where one is needed."""
    provider.script = {"cheap": "84", "dear": "84"}
    env = {"EMAFUSION_KEYS": "made-up", "EMAFUSION_KEY": "made-up"}
    gateway = serve(*(["--host", "0.0.0.0"] if keyed else []), env=env)  # noqa: S104 - a test
    line = gateway.welcome.partition("Shell:")[2]
    done = subprocess.run(
        ["bash", "-c", line],
        env={**os.environ, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    assert json.loads(done.stdout)["choices"][0]["message"]["content"] == "84"
    assert ("EMAFUSION_KEY" in gateway.welcome) == keyed


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_when_it_is_told_to(serve: Serve, how: signal.Signals) -> None:
    """Idle, within two seconds, by exit code 0, without a word."""
    gateway = serve()
    started = time.perf_counter()
    done = gateway.stop(how)
    assert (done.code, done.err) == (0, "")
    assert time.perf_counter() - started < 2.0


def test_what_is_under_way_is_finished(serve: Serve, provider: Provider) -> None:
    """A request that has begun gets its answer before the gateway ends."""
    provider.script = {"dear": "slow:one two three four"}
    gateway = serve()
    with OpenAI(base_url=f"{gateway.url}/v1", api_key="unused", max_retries=0) as client:
        stream = client.chat.completions.create(
            model="dear", messages=[{"role": "user", "content": "Count."}], stream=True
        )
        first = next(stream)
        gateway._process.send_signal(signal.SIGTERM)
        rest = [chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices]
    assert (first.choices[0].delta.content or "") + "".join(rest) == "one two three four"
    assert gateway._process.wait(10) == 0


def test_a_port_in_use_is_told(serve: Serve, shell: Shell) -> None:
    """One line that says so and what to do."""
    port = serve().url.rpartition(":")[2]
    done = shell.run("serve", "--port", port)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"emafusion: cannot listen on 127.0.0.1:{port}: Address already in use; "
        "choose another --port\n"
    )


def test_keys_are_asked_for(serve: Serve) -> None:
    """Open to others, it lets in only who shows a key."""
    gateway = serve("--host", "0.0.0.0", env={"EMAFUSION_KEYS": "made-up"})  # noqa: S104 - a test
    assert gateway.url.startswith("http://127.0.0.1:")
    request = urllib.request.Request(f"{gateway.url}/v1/models")  # noqa: S310 - our own address
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request)  # noqa: S310 - our own address


def test_missing_weights_are_told(empty: Shell) -> None:
    """A pool of embedded models without weights or engine: one line that says what to do."""
    (empty.folder / "emafusion.yaml").write_text(
        "models: [{name: smollm2-135m, provider: local}]\n"
    )
    done = empty.run("serve", "--port", "0")
    assert (done.code, done.out) == (1, "")
    assert len(done.err.splitlines()) == 1
    assert "emafusion models --fetch embedded" in done.err or "emafusion[local]" in done.err
