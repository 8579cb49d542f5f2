"""`emafusion serve` as a user starts it: a process, its config, its log, its end."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.gateway.starting import Gateway
from tests.gateway.talking import send, until

from emafusion.gateway.server import bind

BASE = """
objective: {quality_weight: 0.6}
judges: {use: [rules, logprob, agreement]}
policy: {explore_share: 0}
gateway: {port: %d%s}
log: {path: %s}
"""
ONE_MODEL = """
  - {name: "NAME", provider: openai, base_url: "URL", prompt_usd_per_mtok: 1,
     completion_usd_per_mtok: 4, context_tokens: 9000000, size_b: 30,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
"""
START_S = 30.0


def models(url: str, *names: str, more: str = "") -> str:
    """Entries of the pool, all at one address; `more`: further keys of each."""
    entry = ONE_MODEL.replace("size_b: 30", f"size_b: 30{more}").replace("URL", url)
    return "".join(entry.replace("NAME", name) for name in names)


@dataclass(eq=False, kw_only=True)
class Served:
    """A gateway process that is up. `lines`: what it said."""

    gateway: Gateway
    process: subprocess.Popen[str]
    folder: Path
    lines: list[str] = field(default_factory=list)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.gateway.url.rpartition(":")[2])

    @property
    def resident_mb(self) -> float:
        """Memory that it holds."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096 / 2**20

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        self.process.send_signal(number)

    def ended(self, within_s: float = 10.0) -> int:
        """Wait for its end; the exit code."""
        return self.process.wait(within_s)

    def stop(self) -> None:
        """End it, whatever it is doing; in good order where that is quick, to note its coverage."""
        for within_s in (0.5, 1.5):
            if self.process.poll() is None:
                self.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(within_s)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


def serve(
    folder: Path,
    pool: str,
    *,
    gateway: str = "",
    more: str = "",
    env: Mapping[str, str] | None = None,
) -> Served:
    """Start a gateway in front of `pool`; return when it can answer.

    `gateway`: further keys of that section, each after a comma; `more`: further sections.
    """
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "emafusion.yaml"
    log = folder / "log.sqlite"
    with bind("127.0.0.1", 0) as free:
        port = free.getsockname()[1]
    text = BASE % (port, gateway, json.dumps(str(log)))
    config.write_text(f"{text}{more}\nmodels:{pool}", encoding="utf-8")
    command = (Path(sys.executable).parent / "emafusion", "serve", "--config", config)
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "EMAFUSION_HOME": str(folder), **(env or {})},
    )
    at = Gateway(url=f"http://127.0.0.1:{port}", log=log)
    served = Served(gateway=at, process=process, folder=folder)
    threading.Thread(target=_listen, args=(served,), daemon=True).start()
    try:
        until(lambda: process.poll() is not None or _is_ready(at), START_S)
        assert process.poll() is None, "".join(served.lines)
    except BaseException:
        served.stop()
        raise
    return served


def _listen(served: Served) -> None:
    assert served.process.stdout is not None
    try:
        served.lines.extend(iter(served.process.stdout.readline, ""))
    except ValueError:
        return


def _is_ready(gateway: Gateway) -> bool:
    try:
        return send(gateway, "GET", "/ready").status == 200
    except OSError:
        time.sleep(0.02)
        return False
