"""`kill -9`: every answer that a client got whole is in the log afterwards."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR, Gateway
from tests.gateway.talking import chat, send, until
from typing_extensions import override

from emafusion.gateway.server import bind

ROUNDS = 6
CLIENTS = 4


class Client(threading.Thread):
    """Asks on and on, and remembers the ids of the answers that it got whole."""

    def __init__(self, gateway: Gateway, *, stream: bool) -> None:
        super().__init__(daemon=True)
        self.got: list[str] = []
        self._gateway = gateway
        self._stream = stream

    @override
    def run(self) -> None:
        """Until nobody answers any more."""
        try:
            while True:
                told = chat(self._gateway, model="auto", stream=self._stream)
                whole = told.raw.endswith(b"data: [DONE]\n\n") if self._stream else told.body
                if told.status == 200 and whole:
                    self.got.append(told.headers["x-emafusion-decision-id"])
        except (OSError, ValueError, http.client.HTTPException):
            return


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_what_a_client_got_survives_kill(
    tmp_path: Path, provider: Provider, *, stream: bool
) -> None:
    """Killed at any moment, the log has at least every answer that reached a client whole."""
    provider.script = {"cheap": "Oslo it is", "dear": "Oslo it is"}
    chance = random.Random(7)
    got: list[str] = []
    for _ in range(ROUNDS):
        gateway, process = _serve(tmp_path, provider)
        clients = [Client(gateway, stream=stream) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        _work_for(clients, chance.uniform(0.0, 0.2))
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        for client in clients:
            client.join(20)
            got += client.got
    assert len(got) >= ROUNDS * CLIENTS
    with sqlite3.connect(tmp_path / "log.sqlite") as db:
        logged = {row[0] for row in db.execute("select decision_id from outcomes")}
        assert db.execute("pragma integrity_check").fetchone() == ("ok",)
    db.close()
    assert set(got) <= logged


def _work_for(clients: list[Client], seconds: float) -> None:
    """Let each get at least one answer (if it can), then go on for so long."""
    with contextlib.suppress(AssertionError):
        until(lambda: all(client.got for client in clients), 20)
    time.sleep(seconds)


def _serve(folder: Path, provider: Provider) -> tuple[Gateway, subprocess.Popen[bytes]]:
    """Start `emafusion serve` as a user would; return when it is ready."""
    config = folder / "emafusion.yaml"
    log = json.dumps(str(folder / "log.sqlite"))
    pool = CHEAP_AND_DEAR.replace("URL", provider.url)
    config.write_text(f"{BASE}{pool}\nlog: {{path: {log}}}\n", encoding="utf-8")
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    command = Path(sys.executable).parent / "emafusion"
    process = subprocess.Popen(
        (command, "serve", "--config", config, "--port", str(port)),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "EMAFUSION_HOME": str(folder)},
    )
    gateway = Gateway(url=f"http://127.0.0.1:{port}", log=folder / "log.sqlite")
    try:
        until(lambda: _is_ready(gateway), 30)
    except AssertionError:
        process.kill()
        process.wait(10)
        raise
    return gateway, process


def _is_ready(gateway: Gateway) -> bool:
    try:
        return send(gateway, "GET", "/ready").status == 200
    except OSError:
        return False
