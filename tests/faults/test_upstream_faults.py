"""Everything that an upstream can do wrong: an honest status or error event, in time, no hang."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.faults.asking import Timed, ask, at_once, events, is_ended, text_of
from tests.faults.faulty import (
    BEARABLE,
    FAULTS,
    SAID,
    STREAMS,
    STREAMS_BEARABLE,
    WHOLE,
    Faulty,
)
from tests.faults.serving import Served, models, serve

DEADLINE_S = 2.0
LATE_S = 0.2
NOISE_S = 1.5
"""What a busy machine may add: clients, gateway and provider share its cores."""

REFUSED = {"status-400": 400, "status-404": 400, "status-413": 400, "status-422": 400}
LIMITED = {"status-429": 429, "status-429-seconds": 429}
ODD_STREAMS = {"null-content", "empty-content", "null-finish", "no-usage"}
ASKED = (
    *((name, False) for name in (*WHOLE, *BEARABLE)),
    *((name, True) for name in (*WHOLE, *STREAMS, *STREAMS_BEARABLE)),
)


@pytest.fixture(scope="module")
def served(faulty: Faulty, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One gateway in front of every fault."""
    folder: Path = tmp_path_factory.mktemp("faults")
    gateway = serve(folder, models(faulty.url, *FAULTS, "good"))
    yield gateway
    gateway.stop()


@pytest.fixture(scope="module")
def told(served: Served) -> dict[tuple[str, bool], Timed]:
    """What every fault came to, whole and streamed, all asked at once."""
    made = at_once(
        lambda each: ask(served.gateway, each[0], within_s=DEADLINE_S, stream=each[1]), ASKED
    )
    return dict(zip(ASKED, made, strict=True))


Told = dict[tuple[str, bool], Timed]


@pytest.mark.parametrize("name", WHOLE)
def test_a_fault_is_an_honest_status(told: Told, name: str) -> None:
    """No answer, or none that can be read, is an error in the API's shape, within the deadline."""
    said = told[name, False].said
    assert said.status == REFUSED.get(name, LIMITED.get(name, said.status))
    assert said.status in {400, 429, 502, 503, 504}
    assert said.error["message"]
    assert "Traceback" not in said.error["message"]
    assert told[name, False].seconds < DEADLINE_S + LATE_S + NOISE_S
    if name.endswith("-seconds"):
        assert 30 <= int(said.headers["retry-after"]) <= 37


@pytest.mark.parametrize("name", WHOLE)
def test_a_fault_before_a_stream_is_an_honest_end(told: Told, name: str) -> None:
    """Asked for a stream, the client gets the same status, or an error event and no end marker."""
    said = told[name, True].said
    if said.status == 200:
        assert "error" in events(said)[-1]
        assert not is_ended(said)
    else:
        assert said.error["message"]
    assert told[name, True].seconds < DEADLINE_S + LATE_S + NOISE_S


@pytest.mark.parametrize("name", BEARABLE)
def test_what_is_odd_but_whole_is_an_answer(told: Told, name: str) -> None:
    """Slow, oddly framed or oddly filled answers are answers."""
    said = told[name, False].said
    assert said.status == 200, said.raw
    content = said.body["choices"][0]["message"]["content"]
    assert content == {"null-content": None, "empty-content": ""}.get(name, SAID)


@pytest.mark.parametrize("name", STREAMS)
def test_a_stream_that_breaks_ends_in_an_error_event(told: Told, name: str) -> None:
    """What was said is passed on, then comes an error: never an invented end."""
    said = told[name, True].said
    assert said.status == 200
    assert text_of(said).startswith("Oslo")
    if name == "s-done-without-finish":
        assert is_ended(said), "the provider's own end marker stands"
        assert b'"finish_reason":"stop"' not in said.raw.replace(b" ", b"")
        return
    assert "error" in events(said)[-1]
    assert not is_ended(said)
    assert told[name, True].seconds < DEADLINE_S + LATE_S + NOISE_S


@pytest.mark.parametrize("name", STREAMS_BEARABLE)
def test_an_odd_stream_is_passed_on_whole(told: Told, name: str) -> None:
    """Comments, missing end markers, line ends of another system: the answer is whole."""
    said = told[name, True].said
    assert text_of(said) == SAID
    assert is_ended(said)


def test_nothing_of_it_has_hurt_the_gateway(served: Served, told: Told) -> None:
    """After all of it the gateway answers, holds no memory of it and has told of no bug."""
    assert len(told) == len(ASKED)
    assert ask(served.gateway, "good").said.status == 200
    assert served.resident_mb < 400
    assert "Traceback" not in "".join(served.lines)
