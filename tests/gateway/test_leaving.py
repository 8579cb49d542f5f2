"""The client leaves while its answer is being judged."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR, Gateway, gateway_work, in_thread
from tests.gateway.talking import QUESTION, connection, rows
from tests.gateway.talking import until as wait_until

from emafusion.config import parse
from emafusion.domain.evidence import CallStep, JudgeStep, Plan, Situation, StopStep
from emafusion.gateway.app import App
from emafusion.gateway.server import bind
from emafusion.gateway.service import Service
from emafusion.judge.llm import LLMJudge


class JudgesAlways:
    """Calls `cheap`, has its answer read by the model judge, and gives it."""

    def plan(self, situation: Situation, /) -> Plan:
        """Say the next step."""
        seen = situation.evidence
        if not seen.attempts:
            return Plan(step=CallStep(candidate="cheap"), propensity=1.0, reason="as scripted")
        if not seen.judgements:
            judges = tuple(card.name for card in situation.judges)
            return Plan(step=JudgeStep(judges=judges, attempt=0), propensity=1.0, reason="read it")
        return Plan(step=StopStep(attempt=0), propensity=1.0, reason="as scripted")


def judged_by_dear(service: Service) -> App:
    """An app whose answers are all read by `dear`."""
    reader = LLMJudge(candidate=service.candidates[1], cost_usd=0.0, own_family=True)
    judges = {reader.card.name: reader}
    service.parts = dataclasses.replace(service.parts, policy=JudgesAlways(), judges=judges)
    return App(service=service)


@pytest.fixture
def judging(provider: Provider, tmp_path: Path) -> Iterator[Gateway]:
    """A gateway in which every answer is read by a model."""
    env = {"EMAFUSION_HOME": str(tmp_path)}
    config = parse(BASE + CHEAP_AND_DEAR.replace("URL", provider.url), source="t.yaml", env=env)
    listener = bind("127.0.0.1", 0)
    port = listener.getsockname()[1]
    end = in_thread(gateway_work(config, env, listener, judged_by_dear))
    yield Gateway(url=f"http://127.0.0.1:{port}", log=tmp_path / "log.sqlite")
    end()


@pytest.mark.parametrize("stream", [False, True])
def test_client_leaves_while_a_judge_reads(
    judging: Gateway, provider: Provider, *, stream: bool
) -> None:
    """The judge's call ends within a second, and the log has the answer that was never given."""
    provider.script = {"cheap": "Oslo", "dear": "hang"}
    talk = connection(judging)
    body = {"model": "auto", "messages": QUESTION, "stream": stream}
    talk.request("POST", "/v1/chat/completions", json.dumps(body))
    wait_until(lambda: len(provider.seen) == 2)
    talk.close()
    assert provider.left.wait(1.0)
    wait_until(lambda: rows(judging) == [499])
    told = rows(judging, "select attempts, judgements from details")
    assert "Oslo" in told[0][0]
    assert "cancelled" in told[0][1]
