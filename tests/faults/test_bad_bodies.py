"""Malformed bodies: each a 4xx that says what is wrong, at once, and no upstream is called."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.faults.bodies import malformed
from tests.faults.faulty import Faulty
from tests.faults.serving import Served, models, serve
from tests.gateway.talking import send

BODIES = dict(malformed())
PATHS = ("/v1/chat/completions", "/v1/messages", "/v1/responses")


@pytest.fixture(scope="module")
def served(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One gateway for all bodies."""
    gateway = serve(tmp_path_factory.mktemp("bodies"), models(faulty.url, "good"))
    yield gateway
    gateway.stop()


def test_there_are_enough() -> None:
    """At least as many as anybody would try."""
    assert len(BODIES) >= 120


@pytest.mark.parametrize("name", BODIES)
def test_malformed_body(served: Served, faulty: Faulty, name: str) -> None:
    """A 4xx in the API's shape in less than a second, without a call."""
    before = sum(faulty.calls.values())
    started = time.monotonic()
    said = send(served.gateway, "POST", PATHS[0], BODIES[name], {"content-type": "text/json"})
    assert time.monotonic() - started < 1.0
    assert 400 <= said.status < 500, said.raw
    assert said.error["message"].isprintable()
    assert sum(faulty.calls.values()) == before


@pytest.mark.parametrize("path", PATHS[1:])
def test_every_api_refuses_what_is_no_json(served: Served, faulty: Faulty, path: str) -> None:
    """Other APIs refuse the same, in their own shape."""
    for name in ("empty", "not-json", "cut-off", "deep-arrays", "array", "null", "model-twice"):
        said = send(served.gateway, "POST", path, BODIES[name])
        assert 400 <= said.status < 500, (name, said.raw)
        assert said.body["error"]["message"]
    assert not faulty.calls
