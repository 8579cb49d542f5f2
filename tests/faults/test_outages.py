"""Outages: few calls while they last, others stand in, and they are over as soon as they are."""

from __future__ import annotations

from itertools import cycle

import pytest
from tests.faults.asking import ask, at_once, events, is_ended, text_of
from tests.faults.conftest import StartServed
from tests.faults.faulty import (
    GOOD,
    GOOD_STREAM,
    SAID,
    WHOLE,
    Faulty,
    answer,
    in_two_days,
    refusal,
)
from tests.gateway.talking import rows, send
from tests.upstream.fake_server import Pause, Reset, Say, Script, head, reply

DOWN = reply(refusal("down"), status=503)
HARD_DOWN = (Reset(),)
NOISE_S = 0.3
"""What a busy machine may add to a client's clock."""


@pytest.mark.parametrize("down", [DOWN, HARD_DOWN], ids=["503", "reset"])
@pytest.mark.parametrize("model", ["auto", "one"])
def test_full_outage_costs_few_calls(
    start_served: StartServed, faulty: Faulty, down: Script, model: str
) -> None:
    """With everything down, no more than 1.2 calls are made for a request, and each is told so."""
    served = start_served("one", "two", "three")
    faulty.now = dict.fromkeys(("one", "two", "three"), down)
    before = sum(faulty.calls.values())
    told = at_once(lambda _: ask(served.gateway, model), range(60), width=8)
    assert {each.said.status for each in told} <= {502, 503}
    assert all(each.said.error["message"] for each in told)
    assert sum(faulty.calls.values()) - before <= 1.2 * 60
    faulty.now.clear()
    assert ask(served.gateway, model).said.status == 200, "it is over as soon as it is over"


def test_another_model_stands_in(start_served: StartServed, faulty: Faulty) -> None:
    """Where the choice is ours, whoever works answers; who fails is left alone, then tried."""
    served = start_served("one", "two", more="reliability: {rest_s: 0.5, failures: 3}")
    faulty.now["one"] = DOWN
    for _ in range(12):
        said = ask(served.gateway, "auto").said
        assert said.status == 200
        assert said.headers["x-emafusion-model"] in {"one", "two"}
    down = faulty.calls["one"]
    for _ in range(5):
        assert ask(served.gateway, "auto").said.status == 200
    assert faulty.calls["one"] - down <= 1


@pytest.mark.parametrize("down", [DOWN, HARD_DOWN], ids=["503", "reset"])
def test_a_burst_finds_whoever_is_up(
    start_served: StartServed, faulty: Faulty, down: Script
) -> None:
    """Forty requests at once, before anything is known, all reach the one of three that works."""
    served = start_served("one", "two", "three")
    faulty.now = {"one": down, "two": down}
    try:
        told = at_once(lambda _: ask(served.gateway, "auto"), range(40), width=40)
    finally:
        faulty.now.clear()
    assert {each.said.status for each in told} == {200}
    assert {each.said.headers["x-emafusion-model"] for each in told} == {"three"}


def test_named_model_falls_back_as_the_config_says(
    start_served: StartServed, faulty: Faulty
) -> None:
    """A named model that is down is replaced by its fallback, streamed or not, and it is told."""
    pool = """
  - {name: one, provider: openai, base_url: "URL", fallbacks: [broken, two]}
  - {name: broken, provider: openai, base_url: "URL"}
  - {name: two, provider: openai, base_url: "URL"}
"""
    served = start_served(pool=pool, more="reliability: {retries: 0}")
    faulty.now |= {"one": HARD_DOWN, "broken": WHOLE["half-json"]}
    said = ask(served.gateway, "one").said
    assert said.status == 200
    assert said.headers["x-emafusion-model"] == "two"
    assert said.headers["x-emafusion-attempts"] == "3"
    streamed = ask(served.gateway, "one", stream=True).said
    assert (text_of(streamed), is_ended(streamed)) == (SAID, True)
    faulty.now["one"] = WHOLE["status-400"]
    assert ask(served.gateway, "one").said.status == 400, "a wrong query is wrong everywhere"


def test_a_hiccup_is_not_seen(start_served: StartServed, faulty: Faulty) -> None:
    """One failure, then an answer: the client sees the answer."""
    served = start_served("one")
    for script, stream in ((HARD_DOWN, False), (DOWN, True)):
        before = faulty.calls["one"]
        faulty.plan["one"] = iter([script])
        assert ask(served.gateway, "one", stream=stream).said.status == 200
        assert faulty.calls["one"] == before + 2


def test_what_was_said_is_never_said_again(start_served: StartServed, faulty: Faulty) -> None:
    """A stream that breaks half-way is not tried again, however much is left of the budget."""
    served = start_served("one")
    faulty.now["one"] = (*GOOD_STREAM[:3], Pause(0.05), Reset())
    before = faulty.calls["one"]
    said = ask(served.gateway, "one", stream=True).said
    assert "error" in events(said)[-1]
    assert faulty.calls["one"] == before + 1


def test_pause_that_was_asked_for_is_kept(start_served: StartServed, faulty: Faulty) -> None:
    """A long pause is passed on, and kept to by us: no call until it is over."""
    served = start_served("one", "two")
    faulty.now["one"] = reply(refusal("slow down"), status=429, headers={"retry-after": "50"})
    before = faulty.calls["one"]
    first, second = (ask(served.gateway, "one").said for _ in range(2))
    assert (first.status, first.headers["retry-after"]) == (429, "50")
    assert second.status == 429
    assert 45 <= int(second.headers["retry-after"]) <= 50
    assert faulty.calls["one"] == before + 1
    assert ask(served.gateway, "auto").said.headers["x-emafusion-model"] == "two"


def test_pause_until_a_date(start_served: StartServed, faulty: Faulty) -> None:
    """A date is understood as well as seconds."""
    served = start_served("one")
    headers = {"retry-after": in_two_days()}
    faulty.now["one"] = reply(refusal("slow down"), status=503, headers=headers)
    said = ask(served.gateway, "one").said
    assert said.status == 503
    assert 170_000 < int(said.headers["retry-after"]) <= 172_800


def test_short_pause_is_waited_out(start_served: StartServed, faulty: Faulty) -> None:
    """A pause of a second costs a second and is not seen otherwise."""
    served = start_served("one")
    slow_down = reply(refusal("slow down"), status=429, headers={"retry-after": "1"})
    faulty.plan["one"] = iter([slow_down])
    told = ask(served.gateway, "one")
    assert told.said.status == 200
    assert 0.9 < told.seconds < 3.0


def test_flapping_does_not_add_up(start_served: StartServed, faulty: Faulty) -> None:
    """With every second call failing, most requests are answered and calls stay within bounds."""
    served = start_served("one", more="reliability: {retry_wait_s: 0.01}")
    faulty.plan["one"] = cycle([DOWN, GOOD])
    before = faulty.calls["one"]
    told = [ask(served.gateway, "one").said.status for _ in range(60)]
    assert faulty.calls["one"] - before <= 1.6 * 60
    assert told.count(200) >= 30


def test_deadline_holds_through_everything(start_served: StartServed, faulty: Faulty) -> None:
    """Silence, dripping, waits before retries: never more than 0.2 s beyond the deadline."""
    served = start_served("hang", "hang-mid-body", "drip", "again", "s-hang")
    drip = tuple(act for _ in range(200) for act in (Say(b" "), Pause(0.05)))
    faulty.now["drip"] = (Say(head(200, {"content-length": "9999"})), *drip)
    faulty.now["again"] = reply(refusal("x"), status=429, headers={"retry-after": "0.7"})
    models = ("hang", "hang-mid-body", "drip", "again", "s-hang", "auto")
    cases = [(model, stream) for model in models for stream in (False, True)]
    told = at_once(lambda c: ask(served.gateway, c[0], within_s=1.0, stream=c[1]), cases)
    late = {case: each.seconds for case, each in zip(cases, told, strict=True)}
    assert max(late.values()) < 1.2 + NOISE_S, late


def test_every_failure_is_in_the_log(start_served: StartServed, faulty: Faulty) -> None:
    """What failed is logged with its kind, as much as what was answered."""
    served = start_served("one", more="reliability: {retries: 0}")
    for script in (DOWN, WHOLE["half-json"], WHOLE["reset-mid-body"], GOOD):
        faulty.now["one"] = script
        ask(served.gateway, "one")
    kinds = rows(served.gateway, "select failure from outcomes order by rowid")
    assert kinds == ["overloaded", "garbled", "disconnected", None]
    assert send(served.gateway, "GET", "/ready").status == 200


def test_a_tool_loop_stays_with_its_model_while_that_answers(
    start_served: StartServed, faulty: Faulty
) -> None:
    """The turn that answers a tool call goes to the model that made it; where that fails, on."""
    served = start_served("one", "two", more="reliability: {retries: 0}")
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    for model in ("one", "two"):
        made = {"id": f"call-{model}", "type": "function"}
        called = {**made, "function": {"name": "look", "arguments": "{}"}}
        faulty.now[model] = reply(answer(None, finish="tool_calls", tool_calls=[called]))
    first = ask(served.gateway, "auto", tools=[tool]).said
    maker = first.headers["x-emafusion-model"]
    told = first.body["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": told["tool_calls"][0]["id"], "content": "17"}
    turns = [{"role": "user", "content": "Look."}, told, result]
    faulty.now.clear()
    for _ in range(4):
        said = ask(served.gateway, "auto", tools=[tool], messages=turns).said
        assert said.headers["x-emafusion-model"] == maker
    faulty.now[maker] = HARD_DOWN
    for _ in range(4):
        said = ask(served.gateway, "auto", tools=[tool], messages=turns).said
        assert said.status == 200
        assert said.headers["x-emafusion-model"] != maker


def test_who_cannot_serve_a_query_stands_in_for_nobody(
    start_served: StartServed, faulty: Faulty
) -> None:
    """A fallback without the ability, or beyond the limits, is asked neither later nor besides."""
    pool = """
  - {name: one, provider: openai, base_url: "URL", fallbacks: [blind], abilities: [tools],
     prompt_usd_per_mtok: 1, completion_usd_per_mtok: 1}
  - {name: blind, provider: openai, base_url: "URL", prompt_usd_per_mtok: 1000,
     completion_usd_per_mtok: 1000}
"""
    served = start_served(pool=pool, more="reliability: {retries: 0, hedge_after_s: 0.1}")
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    faulty.now["one"] = (Pause(0.3), *DOWN)
    assert ask(served.gateway, "one", tools=[tool]).said.status == 503
    assert ask(served.gateway, "one", emafusion={"max_cost_usd": 0.01}).said.status == 503
    assert faulty.calls["blind"] == 0
    assert ask(served.gateway, "one").said.headers["x-emafusion-model"] == "blind"
