"""Spans and metrics reach a collector over HTTP, as the usual variables say."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from tests.store.outcomes import outcome
from typing_extensions import override

from emafusion.telemetry import exporting

sdk = pytest.importorskip("opentelemetry.sdk", reason="the extra `otel` is not installed")


class Collector(HTTPServer):
    """Takes whatever is sent to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Taking)
        self.got: dict[str, list[bytes]] = {}


class Taking(BaseHTTPRequestHandler):
    """Answers every export with 200."""

    def do_POST(self) -> None:
        """Take one export."""
        assert isinstance(self.server, Collector)
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.got.setdefault(self.path, []).append(body)
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    @override
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    """A collector that is up."""
    server = Collector()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def test_what_was_done_arrives(collector: Collector, monkeypatch: pytest.MonkeyPatch) -> None:
    """All that waits is sent before the gateway ends."""
    endpoint = f"http://127.0.0.1:{collector.server_port}"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    env, seen = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, outcome()
    with ExitStack() as closing:
        watchers = exporting.exporters(env, dict, content=False, closing=closing)
        for watcher in watchers:
            watcher.answered(seen)
    assert set(collector.got) == {"/v1/traces", "/v1/metrics"}
    traces = b"".join(collector.got["/v1/traces"])
    assert seen.decision_id.encode() in traces
    assert b"emafusion" in traces
    assert seen.query.prompt.encode() not in traces


def test_without_an_endpoint_nothing_is_sent() -> None:
    """Nor where the SDK is switched off."""
    with ExitStack() as closing:
        assert exporting.exporters({}, dict, content=False, closing=closing) == ()
        off = {"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
        assert exporting.exporters(off, dict, content=False, closing=closing) == ()
