"""A log that cannot be written costs no client its answer."""

from __future__ import annotations

import sqlite3

import pytest
from tests.gateway.starting import Gateway
from tests.gateway.talking import Body, chat, rows, send

BROKEN = """
    CREATE TRIGGER full BEFORE INSERT ON outcomes
    BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END"""


def test_answer_is_given_and_the_loss_is_told(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """The client gets its answer, the operator one line with its id, `/ready` says so."""
    assert _readiness(gateway) == {"status": "ready", "models": 2}
    _change(gateway, BROKEN)
    reply = chat(gateway, model="dear")
    assert reply.status == 200
    assert reply.body["choices"]
    lost = reply.headers["x-emafusion-decision-id"]
    assert any(lost in line and "is full" in line for line in caplog.messages)
    told = send(gateway, "GET", "/ready")
    assert told.status == 200
    assert (told.body["status"], told.body["unlogged"]) == ("degraded", 1)
    assert "is full" in told.body["log"]


def test_log_that_works_again_is_used_again(
    gateway: Gateway, caplog: pytest.LogCaptureFixture
) -> None:
    """Once rows can be written they are, and only the count remembers."""
    _change(gateway, BROKEN)
    stream = chat(gateway, model="dear", stream=True)
    assert stream.raw.endswith(b"data: [DONE]\n\n")
    _change(gateway, "DROP TRIGGER full")
    assert chat(gateway, model="dear").status == 200
    assert rows(gateway) == [200]
    assert _readiness(gateway) == {"status": "ready", "models": 2, "unlogged": 1}
    assert len(caplog.messages) == 1


def _readiness(gateway: Gateway) -> Body:
    """What `/ready` tells, but for who decides."""
    told = send(gateway, "GET", "/ready").body
    assert told.pop("artifact")
    return told


def _change(gateway: Gateway, sql: str) -> None:
    with sqlite3.connect(gateway.log) as db:
        db.execute(sql)
    db.close()
