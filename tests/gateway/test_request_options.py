"""What a request may ask of the gateway itself, by headers and by the body."""

from __future__ import annotations

import json

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import chat, rows


@pytest.mark.parametrize(
    "header",
    [
        "x-emafusion-session", "x-session-id", "x-conversation-id", "x-claude-code-session-id",
        "x-model-affinity", "session-id", "session_id",
    ],
)  # fmt: skip
def test_session_is_logged(gateway: Gateway, header: str) -> None:
    """Every name by which clients tell their conversation reaches the log."""
    assert chat(gateway, {header: "talk-7"}).status == 200
    assert rows(gateway, "select session from outcomes") == ["talk-7"]


def test_our_own_session_name_comes_first(gateway: Gateway) -> None:
    """Said twice, our own header and then the body win over the others."""
    chat(gateway, {"x-emafusion-session": "a", "x-session-id": "b"}, emafusion={"session": "c"})
    chat(gateway, {"x-session-id": "b"}, emafusion={"session": "c"})
    assert rows(gateway, "select session from outcomes order by id") == ["a", "c"]


def test_overlong_session_is_a_400(gateway: Gateway) -> None:
    """A session's name has a limit, which is told."""
    reply = chat(gateway, {"x-session-id": "s" * 257})
    assert (reply.status, reply.error["param"]) == (400, "x-session-id")


def test_the_callers_own_name_of_the_work_reaches_the_log(gateway: Gateway) -> None:
    """What a client calls its kind of work is kept, for learning from it later."""
    assert chat(gateway, {"x-emafusion-dataset": "invoices"}).status == 200
    assert chat(gateway, {}, emafusion={"dataset": "letters"}).status == 200
    found = rows(gateway, "select tags from details order by rowid")
    assert [dict(json.loads(tags))["dataset"] for tags in found] == ["invoices", "letters"]


def test_baseline_is_whom_savings_are_counted_against(gateway: Gateway) -> None:
    """Against the dear model something is saved, against the one that answers nothing is."""
    asked = {"x-emafusion-models": "cheap"}
    dear = chat(gateway, asked | {"x-emafusion-baseline": "dear"})
    cheap = chat(gateway, asked | {"x-emafusion-baseline": "cheap"})
    against_dear = float(dear.headers["x-emafusion-saved-usd"])
    assert against_dear > 0
    assert against_dear > float(cheap.headers["x-emafusion-saved-usd"])
    wrong = chat(gateway, {"x-emafusion-baseline": "deer"})
    assert wrong.status == 404
    assert "did you mean 'dear'" in wrong.error["message"]


def test_limits_hold_for_a_named_model_too(gateway: Gateway, provider: Provider) -> None:
    """A limit is no wish: a model that breaks it is not called, though it was named."""
    poor = chat(gateway, {"x-emafusion-max-cost-usd": "0.000001"}, model="dear")
    assert (poor.status, poor.error["param"]) == (400, "max_cost_usd")
    high = chat(gateway, {"x-emafusion-min-quality": "1"}, model="dear")
    assert (high.status, high.error["param"]) == (400, "min_quality")
    other = chat(gateway, {"x-emafusion-models": "cheap"}, model="dear")
    assert (other.status, other.error["param"]) == (400, "model")
    assert not provider.seen
    assert chat(gateway, {"x-emafusion-max-cost-usd": "1"}, model="dear").status == 200


def test_latency_limit_is_the_deadline(gateway: Gateway, provider: Provider) -> None:
    """`max-latency-s` ends a request in time."""
    provider.script = {"cheap": "hang", "dear": "hang"}
    reply = chat(gateway, {"x-emafusion-max-latency-s": "0.3"}, model="dear")
    assert reply.status == 504
    assert "deadline" in reply.error["message"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("x-emafusion-quality-weight", "1.5"),
        ("x-emafusion-quality-weight", "nan"),
        ("x-emafusion-max-cost-usd", "-1"),
        ("x-emafusion-max-latency-s", "0"),
        ("x-emafusion-models", "nobody"),
        ("x-emafusion-models", " , "),
        ("x-emafusion-qualty", "1"),
        ("x-emafusion-session", ""),
    ],
)
def test_wrong_header_is_a_4xx_that_names_it(gateway: Gateway, header: str, value: str) -> None:
    """A wrong value is told with the header's name; nothing is ignored."""
    reply = chat(gateway, {header: value})
    assert reply.status in {400, 404}
    assert reply.error["param"] in {header, "model", "models"}


def test_facts_come_as_headers_and_in_the_body(gateway: Gateway) -> None:
    """Every fact of a routed answer is told in both places."""
    reply = chat(gateway)
    names = {"decision_id", "model", "route", "attempts", "confidence", "cost_usd", "overhead_ms"}
    assert names <= set(reply.body["emafusion"])
    assert {f"x-emafusion-{name.replace('_', '-')}" for name in names} <= set(reply.headers)
