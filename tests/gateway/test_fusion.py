"""Fusion, tests and explanations as clients ask for them, on real sockets."""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import BASE, CHEAP_AND_DEAR, Gateway, StartGateway
from tests.gateway.talking import QUESTION, chat, rows, send

from emafusion import EmaFusion
from emafusion.config import parse
from emafusion.domain.errors import BadInput

THIRD = """
  - {name: third, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.2,
     completion_usd_per_mtok: 0.8, context_tokens: 100000, size_b: 30,
     abilities: [tools, json_object, json_schema, images, logprobs, n]}
"""
BEST = {"x-emafusion-quality-weight": "1"}
CHECKER = """
import json, sys
work = json.load(sys.stdin)
right = work["tests"] == "says Oslo" and "Oslo" in work["answer"]
json.dump({"passed": int(right), "of": 1}, sys.stdout)
"""


@pytest.fixture
def three(start_gateway: StartGateway, provider: Provider) -> Gateway:
    """Three models, of which the best by name is alone with its answer."""
    provider.script = {"cheap": "Oslo", "third": "Oslo", "dear": "Bergen"}
    return start_gateway("fusion: {samples: 1}\n", models=CHEAP_AND_DEAR + THIRD)


def test_fusion_is_asked_for_by_name(three: Gateway, provider: Provider) -> None:
    """All are asked at once; what most say is given, as nobody's own, for what all took."""
    reply = chat(three, BEST, model="emafusion/fusion")
    assert reply.status == 200
    assert reply.body["choices"][0]["message"]["content"] == "Oslo"
    assert reply.body["model"] == "emafusion/fusion"
    assert sorted(body["model"] for body in provider.seen) == ["cheap", "dear", "third"]
    assert reply.headers["x-emafusion-attempts"] == "3"
    assert "x-emafusion-model" not in reply.headers
    found = rows(three, "select candidate, looks, cost_usd from outcomes")
    assert found == [(None, 3, pytest.approx(float(reply.headers["x-emafusion-cost-usd"])))]
    assert rows(three, "select answer from details") == ["Oslo"]


def test_fusion_is_held_then_streamed(three: Gateway) -> None:
    """A client that streams gets the fused answer in chunks, and what all of it took at the end."""
    usage = {"include_usage": True}
    reply = chat(three, BEST, model="emafusion/fusion", stream=True, stream_options=usage)
    lines = [line[6:] for line in reply.raw.decode().split("\n\n") if line.startswith("data: {")]
    events = [json.loads(line) for line in lines]
    text = "".join(
        choice["delta"].get("content") or "" for event in events for choice in event["choices"]
    )
    assert text == "Oslo"
    assert {event["model"] for event in events} == {"emafusion/fusion"}
    assert events[-1]["emafusion"]["attempts"] == 3


def test_fusion_is_listed(three: Gateway) -> None:
    """Clients find the name where they look for models."""
    listed = send(three, "GET", "/v1/models").body["data"]
    assert "emafusion/fusion" in {entry["id"] for entry in listed}
    assert send(three, "GET", "/v1/models/emafusion/fusion").status == 200


def test_fusion_can_be_looked_at_beforehand(three: Gateway, provider: Provider) -> None:
    """A dry run tells whom it would call at once, and calls nobody."""
    body = json.dumps({"model": "emafusion/fusion", "messages": QUESTION}).encode()
    told = send(three, "POST", "/v1/route", body).body
    assert told["first"].startswith("call ")
    assert told["first"].endswith(" at once")
    assert not provider.seen


@pytest.mark.parametrize("asked", ["body", "header"])
def test_how_an_answer_came_about_is_told_on_request(three: Gateway, asked: str) -> None:
    """Every signal with the probability before and after it; each goes on where the last ended."""
    headers = BEST | ({"x-emafusion-explain": "1"} if asked == "header" else {})
    fields = {"emafusion": {"explain": True}} if asked == "body" else {}
    reply = chat(three, headers, model="emafusion/fusion", **fields)
    told = reply.body["emafusion"]
    account = told["explanation"]
    assert {call["model"] for call in account["calls"]} == {"cheap", "dear", "third"}
    assert account["fused"].startswith("the equal answer of ")
    assert account["stopped_because"]
    for attempt in range(3):
        own = [each for each in account["signals"] if each["attempt"] == attempt]
        assert own[0]["signal"] == "predicted"
        for before, after in itertools.pairwise(own):
            assert before["after"] == pytest.approx(after["before"])
        assert own[-1]["after"] == pytest.approx(account["calls"][attempt]["confidence"], abs=1e-3)
    assert "explanation" not in chat(three).body["emafusion"], "only where it was asked for"


def test_tests_are_refused_where_nobody_runs_any(three: Gateway, provider: Provider) -> None:
    """Without a checker of the operator's a request with tests is refused, and nothing is run."""
    reply = chat(three, emafusion={"tests": "assert True"})
    assert (reply.status, reply.error["param"]) == (400, "emafusion.tests")
    assert "fusion.checker" in reply.error["message"]
    assert not provider.seen


def test_an_answer_that_fails_its_tests_is_not_given(
    start_gateway: StartGateway, provider: Provider, tmp_path: Path
) -> None:
    """The operator's checker decides: the cheap answer fails, the dear one passes and is given."""
    script = tmp_path / "checker.py"
    script.write_text(CHECKER)
    provider.script = {"cheap": "Bergen", "dear": "Oslo"}
    more = f"fusion: {{checker: ['{sys.executable}', '{script}']}}\n"
    gateway = start_gateway(more)
    reply = chat(gateway, emafusion={"tests": "says Oslo", "explain": True}, stream=False)
    assert reply.body["choices"][0]["message"]["content"] == "Oslo"
    signals = reply.body["emafusion"]["explanation"]["signals"]
    said = {(each["model"], each["value"]) for each in signals if each["signal"] == "rules:tests"}
    assert ("dear", 1.0) in said
    named = chat(gateway, model="cheap", emafusion={"tests": "says Oslo"})
    assert (named.status, named.error["param"]) == (400, "emafusion.tests")
    assert chat(gateway, {"x-emafusion-tests": "x"}).status == 400, "tests come in the body alone"


def test_the_library_fuses_and_explains(provider: Provider, tmp_path: Path) -> None:
    """In a process of one's own: who gave the answer together, and how sure each made us."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    env = {"EMAFUSION_HOME": str(tmp_path)}
    text = BASE + CHEAP_AND_DEAR.replace("URL", provider.url)
    with EmaFusion(parse(text, source="test.yaml", env=env), env=env) as ema:
        answer = ema.chat("What is the capital of Norway?", model="emafusion/fusion", explain=True)
        with pytest.raises(BadInput, match=r"fusion\.checker"):
            ema.chat("What is the capital of Norway?", tests="says Oslo")
    assert (answer.text, answer.model) == ("Oslo", None)
    told = answer.outcome.answer
    assert told.fused is not None
    assert told.fused.way == "vote"
    assert told.signals[0].name == "predicted"


@pytest.mark.parametrize("mode", ["auto", "gain", "agreement", "induction", "threshold", "paper"])
@pytest.mark.parametrize("decompose", ["off", "rules", "llm"])
def test_every_rule_serves(provider: Provider, tmp_path: Path, mode: str, decompose: str) -> None:
    """Whatever rule the config names, and however it splits, both questions are answered."""
    provider.script = {"cheap": "Oslo; Ibsen", "dear": "Oslo; Ibsen"}
    env = {"EMAFUSION_HOME": str(tmp_path)}
    rule = f"policy: {{explore_share: 0, mode: {mode}, decompose: {decompose}, samples: 2}}"
    text = BASE.replace("policy: {explore_share: 0}", rule)
    with EmaFusion(
        parse(text + CHEAP_AND_DEAR.replace("URL", provider.url), source="t.yaml", env=env), env=env
    ) as ema:
        answer = ema.chat("1. What is the capital of Norway?\n2. Who wrote Peer Gynt?")
    assert "Oslo; Ibsen" in answer.text
    assert answer.cost_usd is not None
