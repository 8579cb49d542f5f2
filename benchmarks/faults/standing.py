"""A provider and a gateway, each a process of its own, for as long as a measurement takes."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import platform
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent
MODELS = ("now", "words", "hang", "drip", "down")
ENTRY = """
  - {{name: {name}, provider: openai, base_url: "http://127.0.0.1:{port}/v1",
     prompt_usd_per_mtok: 1, completion_usd_per_mtok: 4, context_tokens: 9000000}}"""


@dataclass(frozen=True, kw_only=True, eq=False)
class Standing:
    """A gateway that answers: its port, its process, its provider's, its log."""

    port: int
    gateway: subprocess.Popen[bytes]
    provider: subprocess.Popen[bytes]
    log: Path

    @property
    def resident_mb(self) -> float:
        """Memory of the gateway."""
        pages = Path(f"/proc/{self.gateway.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * 4096 / 2**20

    def calls(self) -> int:
        """End the provider; how often it was called."""
        told, _ = self.provider.communicate(timeout=10)
        return int(told)


@contextlib.contextmanager
def standing(more: str = "", models: tuple[str, ...] = MODELS) -> Iterator[Standing]:
    """Start both; `more`: further sections of the config."""
    with tempfile.TemporaryDirectory() as folder:
        provider_port, port = _free(), _free()
        provider = subprocess.Popen(
            (sys.executable, HERE / "provider.py", str(provider_port)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        gateway = _gateway(Path(folder), port, provider_port, more=more, models=models)
        try:
            _wait_for(port, gateway)
            log = Path(folder) / "log.sqlite"
            yield Standing(port=port, gateway=gateway, provider=provider, log=log)
        finally:
            for process in (gateway, provider):
                if process.poll() is None:
                    process.send_signal(signal.SIGKILL)
                process.wait(10)


def body_of(model: str, **fields: object) -> bytes:
    """A request's body."""
    messages = [{"role": "user", "content": "What is the capital of Norway?"}]
    return json.dumps({"model": model, "messages": messages, **fields}).encode()


def post(body: bytes, *headers: str) -> bytes:
    """A whole request by hand."""
    lines = ("POST /v1/chat/completions HTTP/1.1", "host: x", f"content-length: {len(body)}")
    return "\r\n".join((*lines, *headers, "", "")).encode() + body


def ask(port: int, body: bytes, **headers: str) -> tuple[int, float]:
    """Status and seconds of one request on a connection of its own."""
    talk = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    started = time.perf_counter()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    talk.request("POST", "/v1/chat/completions", body, named)
    reply = talk.getresponse()
    reply.read()
    talk.close()
    return reply.status, time.perf_counter() - started


def machine() -> str:
    """Where and when, for the row in the README."""
    load = os.getloadavg()[0]
    when = datetime.now(tz=UTC).date().isoformat()
    return f"{os.cpu_count()} cores, {platform.machine()}, load {load:.1f}, {when}"


def share(values: list[float], at: float) -> float:
    """The value below which a share of all lies."""
    return sorted(values)[min(len(values) - 1, int(at * len(values)))]


def _gateway(
    folder: Path, port: int, provider_port: int, *, more: str, models: tuple[str, ...]
) -> subprocess.Popen[bytes]:
    pool = "".join(ENTRY.format(name=name, port=provider_port) for name in models)
    log = json.dumps(str(folder / "log.sqlite"))
    text = f"gateway: {{port: {port}}}\nlog: {{path: {log}}}\n{more}\nmodels:{pool}\n"
    config = folder / "emafusion.yaml"
    config.write_text(text, encoding="utf-8")
    return subprocess.Popen(
        (sys.executable, "-m", "emafusion", "serve", "--config", config),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "EMAFUSION_HOME": str(folder)},
    )


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def _wait_for(port: int, gateway: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        with contextlib.suppress(OSError):
            if ask(port, body_of("now"))[0] == 200:
                return
        if gateway.poll() is not None:
            raise RuntimeError("the gateway did not start")
        time.sleep(0.05)
    raise RuntimeError("the gateway does not answer")
