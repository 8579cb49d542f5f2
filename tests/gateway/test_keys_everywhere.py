"""Limits of keys hold in every API that asks a model, and are told in its shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.keyed import Keyed, bearer
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import QUESTION, Body, Said, send

from emafusion.gateway.app import OPEN, ROUTES
from emafusion.gateway.key_desk import Made

APIS: dict[str, Body] = {
    "/v1/chat/completions": {"model": "dear", "messages": QUESTION},
    "/v1/messages": {"model": "dear", "max_tokens": 50, "messages": QUESTION},
    "/v1/completions": {"model": "dear", "prompt": "Hi"},
    "/v1/responses": {"model": "dear", "input": "Hi"},
    "/v1beta/models/dear:generateContent": {"contents": [{"parts": [{"text": "Hi"}]}]},
}


@pytest.fixture
def keyed(provider: Provider, tmp_path: Path) -> Iterator[Keyed]:
    """Keys in a folder, and gateways on it."""
    made = Keyed(tmp_path, provider.url)
    yield made
    for end in made.ends:
        end()


@pytest.fixture
def gateway(keyed: Keyed) -> Gateway:
    """A gateway that wants keys."""
    return keyed.start()


def ask(gateway: Gateway, path: str, made: Made | None, **more: object) -> Said:
    """Ask in one API."""
    body = json.dumps(APIS[path] | more).encode()
    return send(gateway, "POST", path, body, {} if made is None else bearer(made))


def test_in_every_api_a_key_is_held_to_its_limits(keyed: Keyed, gateway: Gateway) -> None:
    """Denied without it, forbidden other models, counted by what it costs, refused when spent."""
    only_cheap = keyed.make("only-cheap", models=["cheap"])
    spent = keyed.make("spent", budget_usd_total=1e-9)
    for path in APIS:
        made = keyed.make(f"of {path}", budget_usd_total=1.0, requests_per_minute=1)
        assert ask(gateway, path, None).status == 401, path
        assert ask(gateway, path, only_cheap).status == 403, path
        assert ask(gateway, path, spent).status == 429, path
        said = ask(gateway, path, made)
        assert (said.status, said.headers["x-ratelimit-remaining-requests"]) == (200, "0"), path
        usage = keyed.usage(made)
        assert usage.today.requests == 1
        assert usage.today.tokens > 100
        assert usage.budgets[0].used_usd == pytest.approx(usage.today.usd)
        assert usage.budgets[0].held_usd == 0.0
        refused = ask(gateway, path, made)
        assert (refused.status, "retry-after" in refused.headers) == (429, True), path
    assert keyed.usage(spent).today.requests == keyed.usage(only_cheap).today.requests == 0


def test_streams_are_counted_in_every_api(keyed: Keyed, gateway: Gateway) -> None:
    """By what was said to the end."""
    made = keyed.make(budget_usd_total=1.0)
    for number, path in enumerate(APIS, 1):
        if "generateContent" in path:
            path = "/v1beta/models/dear:streamGenerateContent"  # noqa: PLW2901 - the same API
            body = json.dumps(APIS["/v1beta/models/dear:generateContent"]).encode()
            said = send(gateway, "POST", path, body, bearer(made))
        else:
            said = ask(gateway, path, made, stream=True)
        assert said.status == 200, path
        usage = keyed.usage(made)
        assert (usage.today.requests, usage.budgets[0].held_usd) == (number, 0.0), path
        assert usage.budgets[0].used_usd > number * 1e-4, path


def test_every_path_wants_a_key(gateway: Gateway) -> None:
    """But for those by which a gateway is looked after."""
    for path, route in ROUTES.items():
        for method in route.handlers:
            full = f"/v1{path.replace('*', 'x')}"
            status = send(gateway, method, full, b"{}" if method == "POST" else None).status
            assert (status == 401) == (path not in OPEN), f"{method} {full}: {status}"
