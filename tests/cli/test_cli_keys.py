"""`emafusion keys`, and a gateway that was started with what it makes."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sqlite3
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner, Result
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider

from emafusion.cli.main import program

Serve = Callable[..., Serving]
SECRET = re.compile(r"ema_[0-9A-Za-z]{42}")


def ask(url: str, method: str, path: str, token: str, body: object = None) -> tuple[int, object]:
    """One request; status and body."""
    talk = http.client.HTTPConnection(urlsplit(url).netloc, timeout=20)
    data = None if body is None else json.dumps(body).encode()
    talk.request(method, path, data, {"authorization": f"Bearer {token}"})
    reply = talk.getresponse()
    said = reply.status, json.loads(reply.read())
    talk.close()
    return said


@pytest.fixture
def run(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """Runs `emafusion keys` in this process: it takes a tenth of the time of one of its own."""
    monkeypatch.chdir(shell.folder)
    return lambda *arguments: CliRunner().invoke(program, ("keys", *arguments))


def test_a_key_from_its_making_to_its_end(shell: Shell, run: Callable[..., Result]) -> None:
    """Printed once; never in a list, a show, or anything that was kept."""
    made = shell.run(
        *("keys", "make", "--name", "ci", "--models", "cheap", "--budget", "5/day"),
        *("--budget", "100/total", "--requests-per-minute", "60", "--quality-weight-max", "0.7"),
        *("--tag", "team=search", "--expires", "30d"),
    )
    assert (made.code, SECRET.fullmatch(made.out.strip()) is not None) == (0, True)
    assert "shown only now" in made.err
    secret = made.out.strip()

    shown = json.loads(run("show", "ci", "--json").stdout)
    assert shown["models"] == ["cheap"]
    assert (shown["budget_usd_per_day"], shown["budget_usd_total"]) == (5, 100)
    assert (shown["quality_weight_max"], shown["tags"]) == (0.7, {"team": "search"})
    assert shown["usage"]["month"] == {"usd": 0, "requests": 0, "tokens": 0}
    listed = run("list")
    assert "ci" in listed.stdout
    assert "$5/day" in listed.stdout

    changed = run(
        *("edit", shown["id"], "--budget", "none/day", "--max-parallel", "3", "--disable"),
        "--json",
    )
    told = json.loads(changed.stdout)
    assert (told["status"], told["budget_usd_per_day"], told["max_parallel"]) == (
        "disabled", None, 3,
    )  # fmt: skip
    assert told["models"] == ["cheap"]
    rotated = run("rotate", "ci", "--grace", "1h", "--json")
    assert json.loads(rotated.stdout)["key"] != secret
    ended = run("revoke", "ci")
    assert (ended.exit_code, ended.stdout) == (0, "")
    assert run("list", "--json").stdout.strip() == "[]"
    assert '"revoked"' in run("list", "--all", "--json").stdout

    rest = listed.stdout + changed.stdout + ended.stderr + run("show", "ci").stdout
    assert not SECRET.search(rest)
    home = os.environ["EMAFUSION_HOME"]
    for name in os.listdir(home):  # noqa: PTH208 - names are all that is needed
        with open(f"{home}/{name}", "rb") as file:  # noqa: PTH123 - the same
            assert secret[4:].encode() not in file.read()


def test_mistakes_are_one_line(run: Callable[..., Result]) -> None:
    """With the field or option that is wrong; nothing is made."""
    for arguments, told in (
        ("make", "Missing option '--name'"),
        ("make --name x --models gone", "models: no model is called 'gone', known are cheap, dear"),
        ("make --name x --quality-weight 3", "quality_weight: expected number <= 1.0"),
        ("make --name x --quality-weight high", "--quality-weight: must be a number or none"),
        ("make --name x --budget 5", "--budget: must be US dollars and a period"),
        ("make --name x --budget 5/hour", "--budget: must be US dollars and a period"),
        ("make --name x --budget -5/day", "budget_usd_per_day: expected number > 0.0"),
        ("make --name x --max-parallel 0", "max_parallel: expected integer >= 1"),
        ("make --name x --expires soon", "--expires: must be a time ahead"),
        ("make --name x --expires 500000w", "--expires: must be a time ahead"),
        ("make --name x --expires 2020-01-01", "expires_at: is past already"),
        ("make --name x --tag team", "--tag: must be NAME=TEXT"),
        ("make --name key_1", "name: must not begin with 'key_'"),
        ("show x", "key: there is no key 'x'"),
        ("edit x --name y", "key: there is no key 'x'"),
        ("edit x", "keys edit: says nothing to change"),
        ("rotate x --grace 1y", "--grace: must be a time such as 90s or 1h"),
        ("revoke x", "key: there is no key 'x'"),
        ("list --config missing.yaml", "missing.yaml: cannot be read"),
    ):
        done = run(*arguments.split())
        assert (done.exit_code, done.stdout) != (0, ""), arguments
        assert told in (str(done.exception) + done.stderr), arguments
    assert run("list", "--json").stdout.strip() == "[]"


def test_a_gateway_takes_keys_that_are_made_while_it_runs(serve: Serve, shell: Shell) -> None:
    """Started on one that was made before; the admin API beside it, behind its own token."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(config.read_text() + "gateway: {keys_required: true}\nadmin: {port: 0}\n")
    refused = shell.run("serve", "--port", "0")
    assert (refused.code, refused.out) == (1, "")
    assert "set EMAFUSION_ADMIN_TOKEN" in refused.err

    token = "a-token-that-is-long-enough"
    first = shell.run("keys", "make", "--name", "first").out.strip()
    gateway = serve(env={"EMAFUSION_ADMIN_TOKEN": token})
    assert ask(gateway.url, "GET", "/v1/models", first)[0] == 200
    second = shell.run("keys", "make", "--name", "second", "--models", "cheap").out.strip()
    status, models = ask(gateway.url, "GET", "/v1/models", second)
    assert status == 200
    assert '"dear"' not in json.dumps(models)
    assert ask(gateway.url, "GET", "/v1/models", token)[0] == 401
    assert ask(gateway.url, "GET", "/admin/keys", token)[0] == 404
    done = gateway.stop(signal.SIGTERM)
    assert (done.code, "admin API at http://127.0.0.1:" in done.err) == (0, True)
    for secret in (first, second, token):
        assert secret not in done.out + done.err + gateway.welcome


def test_nobody_can_call_is_told(shell: Shell) -> None:
    """Where keys are required and there is none: how to make one."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(config.read_text() + "gateway: {keys_required: true}\n")
    done = shell.run("serve", "--port", "0")
    assert (done.code, done.out) == (1, "")
    assert "make one with 'emafusion keys make --name NAME'" in done.err


def test_what_a_killed_gateway_held_is_free_again_in_time(
    serve: Serve, shell: Shell, provider: Provider
) -> None:
    """A minute after the deadline of the request, though nobody settled it; others go on."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(config.read_text() + "gateway: {request_timeout_s: 20}\n")
    provider.script["dear"] = "hang"
    secret = shell.run("keys", "make", "--name", "ci", "--budget", "0.02/total").out.strip()
    gateway = serve()
    body = {"model": "dear", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2000}
    talk = http.client.HTTPConnection(urlsplit(gateway.url).netloc, timeout=20)
    headers = {"authorization": f"Bearer {secret}"}
    talk.request("POST", "/v1/chat/completions", json.dumps(body).encode(), headers)
    while not provider.seen:
        time.sleep(0.02)
    assert gateway.stop(signal.SIGKILL).code == -signal.SIGKILL
    talk.close()
    shown = json.loads(shell.run("keys", "show", "ci", "--json").out)["usage"]["budgets"][0]
    assert shown["held_usd"] > 0.016
    with sqlite3.connect(f"{os.environ['EMAFUSION_HOME']}/keys.sqlite") as db:
        ends = db.execute("select until_s from holds").fetchall()
    db.close()
    assert len(ends) == 1
    assert 70.0 < ends[0][0] - time.time() <= 80.0
    other = serve()
    refused = ask(other.url, "POST", "/v1/chat/completions", secret, body)
    assert refused[0] == 429
    cheap = body | {"model": "cheap", "max_tokens": 20}
    assert ask(other.url, "POST", "/v1/chat/completions", secret, cheap)[0] == 200
