"""Two gateways on one PostgreSQL and one Valkey, started by `emafusion serve` as users do."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable

import pytest
from tests.cli.conftest import empty, listing, provider, serve, shell  # noqa: F401 - fixtures
from tests.cli.running import Serving, Shell
from tests.gateway.provider import Provider
from tests.state_servers.servers import PostgresServer, ValkeyServer

Serve = Callable[..., Serving]

STATE = """
state: {postgres_env: EMA_POSTGRES, valkey_env: EMA_VALKEY}
gateway: {keys_required: true}
"""


def ask(gateway: Serving, key: str) -> tuple[int, dict[str, object]]:
    """One question; status and body."""
    body = {"model": "cheap", "messages": [{"role": "user", "content": "Where?"}]}
    request = urllib.request.Request(  # noqa: S310 - our own address
        f"{gateway.url}/v1/chat/completions",
        data=json.dumps(body).encode(),
        headers={"content-type": "application/json", "authorization": f"Bearer {key}"},
    )
    try:
        with urllib.request.urlopen(request, timeout=20) as reply:  # noqa: S310 - the same
            return int(reply.status), json.load(reply)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def ready(gateway: Serving) -> dict[str, object]:
    """What `/ready` says."""
    with urllib.request.urlopen(f"{gateway.url}/ready") as reply:  # noqa: S310 - our own address
        found: dict[str, object] = json.load(reply)
    return found


@pytest.fixture
def sharing(shell: Shell, url: str, valkey_server: ValkeyServer) -> Shell:  # noqa: F811 - a fixture
    """A config that names both servers."""
    config = shell.folder / "emafusion.yaml"
    config.write_text(config.read_text() + STATE)
    shell.env.update(EMA_POSTGRES=url, EMA_VALKEY=valkey_server.url)
    return shell


def test_replicas_share_log_keys_and_limits_and_outlast_both_servers(
    sharing: Shell,
    serve: Serve,  # noqa: F811 - a fixture
    provider: Provider,  # noqa: F811 - a fixture
    postgres_server: PostgresServer,
    valkey_server: ValkeyServer,
) -> None:
    """A key made by one command is known to both, its rate counts in both, one log has it all."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    one, two = serve(), serve()
    assert ask(one, "ema_unknown")[0] == 401, "it starts without any key, and is closed"
    made = sharing.run("keys", "make", "--name", "ci", "--requests-per-minute", "3", "--json")
    assert made.code == 0, made.err
    key = str(json.loads(made.out)["key"])
    statuses = [ask(each, key)[0] for each in (one, two, one, two)]
    assert statuses == [200, 200, 200, 429]
    log = sharing.run("log", "--json")
    assert (log.code, len(log.out.splitlines())) == (0, 3)
    free = sharing.run("keys", "make", "--name", "free", "--json")
    key = str(json.loads(free.out)["key"])
    assert ask(one, key)[0] == 200
    postgres_server.stop("immediate")
    valkey_server.stop()
    try:
        assert ask(one, key)[0] == 200
        assert ready(one)["status"] == "degraded"
        assert ready(one)["unlogged"] == 1
    finally:
        postgres_server.start()
        valkey_server.start()
    assert ask(two, key)[0] == 200
    assert one.stop().code == 0
    shown = sharing.run("log", "--totals", "--json")
    assert json.loads(shown.out)["requests"] == 6
    for secret in (PostgresServer.PASSWORD, key):
        assert secret not in shown.out + log.out + one.welcome + two.stop().err
