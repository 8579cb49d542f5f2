"""One model at several deployments: load goes where it is answered, faults stay where they are."""

from __future__ import annotations

import time

import pytest
from tests.faults.asking import Timed, ask, at_once, is_ended, text_of
from tests.faults.conftest import StartServed
from tests.faults.faulty import GOOD, GOOD_STREAM, SAID, Faulty, answer, refusal
from tests.faults.serving import Served
from tests.upstream.fake_server import Hang, Pause, Reset, Script, reply

POOL = """
  - name: one
    provider: openai
    base_url: "URL"
    deployments:
      - {remote_name: left}
      - {remote_name: right}
"""
DOWN = reply(refusal("down"), status=503)


def _served(start_served: StartServed, more: str = "") -> Served:
    return start_served(pool=POOL, more=more)


def _share(faulty: Faulty, served: Served, times: int, width: int = 8) -> tuple[int, int, int]:
    """Calls at the left and at the right, and how many of the requests were answered."""
    before = faulty.calls.copy()
    told = at_once(lambda _: ask(served.gateway, "one"), range(times), width=width)
    made = faulty.calls - before
    return made["left"], made["right"], sum(each.said.status == 200 for each in told)


def test_both_are_used(start_served: StartServed, faulty: Faulty) -> None:
    """Equal places share the load."""
    left, right, answered = _share(faulty, _served(start_served), 60)
    assert answered == 60
    assert min(left, right) >= 10


def test_the_quicker_gets_more(start_served: StartServed, faulty: Faulty) -> None:
    """A slow place gets few calls, and not none."""
    faulty.now["left"] = (Pause(0.3), *GOOD)
    left, right, answered = _share(faulty, _served(start_served), 60)
    assert answered == 60
    assert 1 <= left < right / 2


@pytest.mark.parametrize(
    "fault",
    [DOWN, (Reset(),), reply(b"<html>"), reply(refusal("key"), status=401)],
    ids=["503", "reset", "html", "401"],
)
def test_a_broken_place_is_passed_over(
    start_served: StartServed, faulty: Faulty, fault: Script
) -> None:
    """Every request is answered by the other place, and the broken one is soon left alone."""
    served = _served(start_served)
    faulty.now["left"] = fault
    left, _, answered = _share(faulty, served, 60, width=4)
    assert answered == 60
    assert left <= 12


def test_a_pause_is_one_place_s(start_served: StartServed, faulty: Faulty) -> None:
    """A place that asks for a pause gets it; nobody waits for it."""
    served = _served(start_served)
    faulty.now["left"] = reply(refusal("slow"), status=429, headers={"retry-after": "60"})
    started = time.monotonic()
    left, _, answered = _share(faulty, served, 30, width=1)
    assert (left <= 1, answered) == (True, 30)
    assert time.monotonic() - started < 10


def test_limits_that_are_used_up_are_seen(start_served: StartServed, faulty: Faulty) -> None:
    """A place whose headers say that nothing is left is not called until its limits come back."""
    served = _served(start_served)
    told = {"x-ratelimit-limit-requests": "10", "x-ratelimit-remaining-requests": "0"}
    faulty.now["left"] = reply(answer(), headers=told | {"x-ratelimit-reset-requests": "30s"})
    left, right, answered = _share(faulty, served, 30, width=1)
    assert (left <= 1, answered) == (True, 30)
    assert right >= 29


def test_little_headroom_is_little_load(start_served: StartServed, faulty: Faulty) -> None:
    """A place with a tenth of its limits left gets less than one with all of them."""
    served = _served(start_served)
    for name, left_of_it in (("left", "3"), ("right", "100")):
        told = {
            "anthropic-ratelimit-requests-limit": "100",
            "anthropic-ratelimit-requests-remaining": left_of_it,
        }
        faulty.now[name] = (Pause(0.02), *reply(answer(), headers=told))
    left, right, answered = _share(faulty, served, 60)
    assert answered == 60
    assert left < right / 2


def test_half_open_is_one_call(start_served: StartServed, faulty: Faulty) -> None:
    """After its rest a place gets one call as a test; when that fails it rests again."""
    served = _served(start_served, "reliability: {failures: 2, rest_s: 1.0, most_rest_s: 1.0}")
    faulty.now["left"] = DOWN
    _share(faulty, served, 20, width=1)
    time.sleep(1.2)
    faulty.now["left"] = (Pause(0.3), *DOWN)
    left, _, answered = _share(faulty, served, 16, width=16)
    assert (left, answered) == (1, 16)
    time.sleep(1.2)
    faulty.now.clear()
    _share(faulty, served, 4, width=1)
    left, right, _ = _share(faulty, served, 40)
    assert min(left, right) >= 5, "it is back"


def test_all_places_down(start_served: StartServed, faulty: Faulty) -> None:
    """With all places down it is a full outage: few calls, an honest status, over at once."""
    served = _served(start_served)
    faulty.now |= {"left": DOWN, "right": DOWN}
    left, right, answered = _share(faulty, served, 60)
    assert (answered, left + right <= 72) == (0, True)
    faulty.now.clear()
    assert _share(faulty, served, 1)[2] == 1


@pytest.mark.parametrize("stream", [False, True])
def test_silence_is_hedged(start_served: StartServed, faulty: Faulty, *, stream: bool) -> None:
    """Where one place is silent the other is asked, and the silent one is let go at once."""
    served = _served(start_served, "reliability: {hedge_after_s: 0.2}")
    faulty.now["left"] = (Hang(),)
    told = [_hedged(faulty, served, stream=stream) for _ in range(4)]
    assert all(each.seconds < 1.5 for each in told)
    assert all(each.said.status == 200 for each in told)
    if stream:
        assert all((text_of(t.said), is_ended(t.said)) == (SAID, True) for t in told)


def test_hedges_cost_little(start_served: StartServed, faulty: Faulty) -> None:
    """Where everything is slow hedges stop at the budget: no more than it has and answers give."""
    more = "reliability: {hedge_after_s: 0.05, retry_share: 0.1, retry_budget: 4}"
    served = _served(start_served, more)
    faulty.now |= dict.fromkeys(("left", "right"), (Pause(0.2), *GOOD))
    left, right, answered = _share(faulty, served, 40)
    assert answered == 40
    assert left + right <= 40 + 4 + 0.1 * 44 + 1


def test_nothing_is_hedged_unasked(start_served: StartServed, faulty: Faulty) -> None:
    """Without the key in the config slow is waited for."""
    served = _served(start_served)
    faulty.now |= dict.fromkeys(("left", "right"), (Pause(0.4), *GOOD_STREAM))
    before = sum(faulty.calls.values())
    assert ask(served.gateway, "one", stream=True).said.status == 200
    assert sum(faulty.calls.values()) == before + 1


def _hedged(faulty: Faulty, served: Served, *, stream: bool) -> Timed:
    """Ask once; whoever was left hanging must be let go within a second of the answer."""
    hanging = len(faulty.left)
    before = faulty.calls["left"]
    told = ask(served.gateway, "one", stream=stream)
    answered = time.monotonic()
    if faulty.calls["left"] > before:
        while len(faulty.left) == hanging:
            assert time.monotonic() - answered < 1.0
            time.sleep(0.01)
        assert stream or told.said.headers["x-emafusion-attempts"] == "2"
    return told


def test_a_place_that_dies_under_load_is_not_noticed(
    start_served: StartServed, faulty: Faulty
) -> None:
    """Of many requests under way at a place that breaks each is answered by the other."""
    served = _served(start_served)
    assert _share(faulty, served, 20)[2] == 20
    faulty.now["left"] = (Pause(0.2), Reset())
    assert _share(faulty, served, 40, width=40)[2] == 40
