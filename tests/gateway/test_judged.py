"""Several model judges, served and told of on real sockets."""

from __future__ import annotations

import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import StartGateway
from tests.gateway.talking import chat, rows

POOL = """
  - {name: cheap, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.5,
     completion_usd_per_mtok: 2, size_b: 70, family: c, abilities: []}
  - {name: dear, provider: openai, base_url: "URL", prompt_usd_per_mtok: 2,
     completion_usd_per_mtok: 8, size_b: 300, family: d, abilities: []}
  - {name: grader, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.001,
     completion_usd_per_mtok: 0.004, size_b: 1, family: c, abilities: []}
  - {name: sayer, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.001,
     completion_usd_per_mtok: 0.004, size_b: 1, family: s, abilities: [logprobs]}
"""
BASE = """
objective: {quality_weight: 0.83}
policy: {explore_share: 0}
judges: {use: [rules, llm], llm_models: [grader, sayer]}
models:
"""
ASKED = [{"role": "user", "content": "Describe in prose why the sky is blue at noon."}]
PROSE = "Because short waves of light are scattered more than long ones by the air. " * 3


def test_a_judge_is_a_signal_with_its_price(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """Who is of the answerer's family is not asked; who says yes or no is, and paid for."""
    provider.script = {"cheap": PROSE, "dear": PROSE, "grader": "9", "sayer": "no"}
    gateway = start_gateway(models=POOL, base=BASE)
    told = {"explain": True, "models": ["cheap", "dear"]}
    reply = chat(gateway, messages=ASKED, emafusion=told, stream=False)
    account = reply.body["emafusion"]["explanation"]
    judged = [each for each in account["signals"] if each["signal"].startswith("llm:")]
    said = {each["signal"]: each for each in judged if each["model"] == "cheap"}
    assert list(said) == ["llm:yes:sayer"]
    sayer = said["llm:yes:sayer"]
    assert sayer["value"] == pytest.approx(0.095, abs=0.001), "1 - exp(-0.1)"
    assert sayer["after"] < sayer["before"]
    assert (sayer["effective_judges"], sayer["weight"]) == (1.0, 1.0)
    spent = sum(each["cost_usd"] for each in (*account["calls"], *judged))
    assert sayer["cost_usd"] > 0.0
    assert reply.body["emafusion"]["cost_usd"] == pytest.approx(spent, abs=1e-9)
    asked = [body for body in provider.seen if body["model"] == "sayer"]
    assert (asked[0]["logprobs"], asked[0]["top_logprobs"]) == (True, 5)
    (kept,) = rows(gateway, "select judgements from details")
    assert "llm:yes:sayer" in kept
