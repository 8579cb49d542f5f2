"""What the gateway adds to a request, beside nginx as a plain proxy in the same run.

Usage: python benchmarks/gateway/run.py [--requests 2000] [--rounds 5] [--seconds 5]

Needs nginx on the PATH. One client, one kept-alive connection, a mock provider on loopback; the
gateway routes, judges nothing dear, and logs every request. Then several connections at once, for
requests a second and the gateway's CPU for each. Prints medians over rounds.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import load
from mock_provider import WORDS

HERE = Path(__file__).parent
CONNECTIONS = 16
NGINX = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
  access_log off; keepalive_requests 10000000;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream mock {{ server 127.0.0.1:{mock}; keepalive 16; keepalive_requests 10000000; }}
  server {{
    listen 127.0.0.1:{port};
    location / {{ proxy_pass http://mock; proxy_http_version 1.1; proxy_set_header Connection "";
                 proxy_buffering off; }}
  }}
}}
"""
CONFIG = """
gateway: {{port: {port}}}
log: {{path: {folder}/log.sqlite}}
models:
  - {{name: cheap, provider: openai, base_url: "http://127.0.0.1:{mock}/v1",
     prompt_usd_per_mtok: 0.1,
     completion_usd_per_mtok: 0.4, context_tokens: 100000, abilities: [tools]}}
  - {{name: dear, provider: openai, base_url: "http://127.0.0.1:{mock}/v1", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, context_tokens: 100000, abilities: [tools]}}
"""


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def _process(*command: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, env={**os.environ, **(env or {})})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(10)


def _until_open(port: int) -> None:
    for _ in range(500):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.01)
    raise RuntimeError(f"nobody listens on {port}")


def _boot_s(port: int, started: float) -> float:
    """Seconds until /ready answers."""
    for _ in range(2000):
        with contextlib.suppress(OSError):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/ready", timeout=1).read()
            return time.perf_counter() - started
        time.sleep(0.005)
    raise RuntimeError("the gateway did not become ready")


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    line = next(x for x in status.splitlines() if x.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _event_us(port: int, pid: int, streams: int) -> float:
    """CPU of the gateway for each event relayed."""
    sent = load.requests(stream=True, model="dear")
    load.latencies_us(port, streams // 10, sent)
    before = _cpu_s(pid)
    load.latencies_us(port, streams, sent)
    return (_cpu_s(pid) - before) * 1e6 / (streams * WORDS)


def _busy(port: int, pid: int, seconds: float) -> tuple[float, float]:
    """Requests a second by several connections, and the gateway's CPU for each, microseconds."""
    before = _cpu_s(pid)
    per_s = load.per_second(port, CONNECTIONS, seconds)
    # Warming up takes a fifth more.
    return per_s, (_cpu_s(pid) - before) * 1e6 / (per_s * seconds * 1.2)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=5.0)
    asked = parser.parse_args()
    mock, proxy, ours = _free_port(), _free_port(), _free_port()
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        (Path(folder) / "nginx.conf").write_text(
            NGINX.format(folder=folder, mock=mock, port=proxy), encoding="utf-8"
        )
        (Path(folder) / "emafusion.yaml").write_text(
            CONFIG.format(folder=folder, mock=mock, port=ours), encoding="utf-8"
        )
        stack.enter_context(_process(sys.executable, str(HERE / "mock_provider.py"), str(mock)))
        stack.enter_context(_process("nginx", "-c", f"{folder}/nginx.conf", "-p", folder))
        command = str(Path(sys.executable).parent / "emafusion")
        started = time.perf_counter()
        gateway = stack.enter_context(
            _process(command, "serve", "--config", f"{folder}/emafusion.yaml")
        )
        boot_s = _boot_s(ours, started)
        memory_mb = _memory_mb(gateway.pid)
        for port in (mock, proxy, ours):
            _until_open(port)
        rounds = [
            [load.p50_us(port, asked.requests) for port in (mock, proxy, ours)]
            for _ in range(asked.rounds)
        ]
        busy = _busy(ours, gateway.pid, asked.seconds)
        nginx_per_s = load.per_second(proxy, CONNECTIONS, asked.seconds)
        event_us = _event_us(ours, gateway.pid, 200)
        after_mb = _memory_mb(gateway.pid)
    direct, nginx, routed = (statistics.median(column) for column in zip(*rounds, strict=True))
    ratios = [(r - d) / (n - d) for d, n, r in rounds]
    print(f"{datetime.now(tz=UTC):%Y-%m-%d}, {platform.machine()}, {os.cpu_count()} cores")
    print(f"p50, microseconds: direct {direct:.0f}, nginx {nginx:.0f}, emafusion {routed:.0f}")
    print(f"added: nginx {nginx - direct:.0f}, emafusion {routed - direct:.0f}")
    print(
        f"ratio of added latency: {statistics.median(ratios):.1f} "
        f"(rounds {min(ratios):.1f} to {max(ratios):.1f})"
    )
    per_s, cpu_us = busy
    print(
        f"{CONNECTIONS} connections: {per_s:.0f} requests/s, {cpu_us:.0f} microseconds of CPU each "
        f"({1e6 / cpu_us:.0f} a second and core); nginx {nginx_per_s:.0f} requests/s"
    )
    print(f"load of the machine: {os.getloadavg()[0]:.1f}")
    print(f"CPU per relayed event: {event_us:.0f} microseconds")
    print(f"boot to ready {boot_s:.2f} s; memory {memory_mb:.0f} MB at rest, {after_mb:.0f} after")


if __name__ == "__main__":
    main()
