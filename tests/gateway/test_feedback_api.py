"""`/v1/feedback`: what a client says of an answer that it got."""

from __future__ import annotations

import json

import pytest
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import Body, Said, chat, rows, send


def say(gateway: Gateway, body: Body, /, **headers: str) -> Said:
    """Give feedback."""
    return send(gateway, "POST", "/v1/feedback", json.dumps(body).encode(), headers)


def test_a_verdict_is_kept_beside_its_decision(start_gateway: StartGateway) -> None:
    """As a score; with what would have been right."""
    gateway = start_gateway()
    decision = chat(gateway, model="cheap").headers["x-emafusion-decision-id"]
    told = {"decision_id": decision, "verdict": "wrong", "corrected": "Oslo"}
    assert say(gateway, told).body == {"decision_id": decision, "score": 0.0}
    assert say(gateway, {"decision_id": decision, "score": 0.5}).status == 200
    kept = rows(gateway, "select decision_id, source, score, corrected from feedback order by id")
    assert kept == [(decision, "client", 0.0, "Oslo"), (decision, "client", 0.5, None)]


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"score": 2},
        {"score": "good"},
        {"score": 1, "verdict": "right"},
        {"verdict": "perhaps"},
        {"score": 1, "unknown": 1},
    ],
)
def test_what_cannot_be_kept_is_refused(start_gateway: StartGateway, more: Body) -> None:
    """In one line that names the field."""
    gateway = start_gateway()
    decision = chat(gateway, model="cheap").headers["x-emafusion-decision-id"]
    said = say(gateway, {"decision_id": decision, **more})
    assert said.status == 400
    assert said.error["message"]


def test_only_who_asked_may_judge(start_gateway: StartGateway) -> None:
    """Another key's decision is not even there."""
    gateway = start_gateway(keys=("one", "two"))
    one, two = ({"authorization": f"Bearer {key}"} for key in ("one", "two"))
    decision = chat(gateway, one, model="cheap").headers["x-emafusion-decision-id"]
    told = {"decision_id": decision, "score": 1}
    assert say(gateway, told, **two).status == 404
    assert say(gateway, {"decision_id": "em-none", "score": 1}, **one).status == 404
    assert say(gateway, told, **one).status == 200
