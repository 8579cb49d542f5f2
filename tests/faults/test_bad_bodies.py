"""Malformed bodies: each a 4xx that says what is wrong, at once, and no upstream is called."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from tests.faults.api_bodies import APIS, Api, is_error
from tests.faults.bodies import GOOD, malformed
from tests.faults.faulty import Faulty
from tests.faults.serving import Served, models, serve
from tests.gateway.talking import send

BODIES = dict(malformed())
CHAT = "/v1/chat/completions"
EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
"""
FOREIGN = ("https://example.com", "http://8.8.8.8", "null", "http://evil.example:8080")
NEAR = ("http://localhost:3000", "http://127.0.0.1:8080", "http://[::1]", "app://notes")


@pytest.fixture(scope="module")
def served(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One gateway for all bodies."""
    more = EMBEDDINGS.replace("URL", faulty.url)
    gateway = serve(tmp_path_factory.mktemp("bodies"), models(faulty.url, "good"), more=more)
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
    said = send(served.gateway, "POST", CHAT, BODIES[name], {"content-type": "application/json"})
    assert time.monotonic() - started < 1.0
    assert 400 <= said.status < 500, said.raw
    assert said.error["message"].isprintable()
    assert sum(faulty.calls.values()) == before


@pytest.mark.parametrize("api", APIS, ids=[api.path for api in APIS])
def test_every_api_refuses_what_it_cannot_read(served: Served, faulty: Faulty, api: Api) -> None:
    """Each API refuses what is no JSON and what cannot be in its fields, in its own shape."""
    before = sum(faulty.calls.values())
    for name, body in api.malformed():
        started = time.monotonic()
        said = send(served.gateway, "POST", api.path, body)
        assert time.monotonic() - started < 1.0, name
        assert 400 <= said.status < 500, (name, said.status, said.raw[:300])
        assert is_error(api, said.status, said.body), (name, said.raw[:300])
    assert sum(faulty.calls.values()) == before


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "magic"])
def test_a_body_that_is_said_to_be_something_else(served: Served, kind: str) -> None:
    """It is not taken for JSON, whatever is in it: browsers send such to any address."""
    for path in (CHAT, *(api.path for api in APIS)):
        said = send(served.gateway, "POST", path, b"{}", {"content-type": kind})
        assert said.status == 415, path
        assert kind in said.raw.decode()


@pytest.mark.parametrize(
    "kind",
    [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/x.y+json",
        "application/x-www-form-urlencoded",
        "",
    ],
)
def test_json_goes_by_several_names(served: Served, kind: str) -> None:
    """Parameters and case do not count; who says nothing means JSON, as do curl and urllib."""
    body = json.dumps(GOOD).encode()
    assert send(served.gateway, "POST", CHAT, body, {"content-type": kind}).status == 200
    assert send(served.gateway, "POST", CHAT, body).status == 200


@pytest.mark.parametrize("origin", FOREIGN)
def test_pages_from_elsewhere_may_not_ask(served: Served, faulty: Faulty, origin: str) -> None:
    """Where no key is needed a page that somebody opened could spend their money."""
    before = sum(faulty.calls.values())
    said = send(served.gateway, "POST", CHAT, json.dumps(GOOD).encode(), {"origin": origin})
    assert (said.status, said.error["code"]) == (403, "foreign_page")
    assert send(served.gateway, "GET", "/v1/models", None, {"origin": origin}).status == 403
    assert sum(faulty.calls.values()) == before


@pytest.mark.parametrize("origin", NEAR)
def test_pages_of_this_machine_and_apps_may(served: Served, origin: str) -> None:
    """They are the owner's."""
    said = send(served.gateway, "POST", CHAT, json.dumps(GOOD).encode(), {"origin": origin})
    assert said.status == 200
