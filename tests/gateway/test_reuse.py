"""Answers given again, through a real gateway: the cache, and idempotency keys."""

from __future__ import annotations

import json
import threading

from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import QUESTION, Said, chat, rows, send, until

CACHED = "cache: {ttl_s: 60}\n"
ALIKE = "cache: {ttl_s: 60, similarity: 0.9}\n"


def streamed(gateway: Gateway, /, **headers: str) -> Said:
    """The usual question, streamed."""
    body = {"model": "cheap", "messages": QUESTION, "stream": True}
    return send(gateway, "POST", "/v1/chat/completions", json.dumps(body).encode(), headers)


def text_of(stream: Said) -> str:
    """What a stream said."""
    events = [line[6:] for line in stream.raw.decode().splitlines() if line.startswith("data: {")]
    chunks = [json.loads(event) for event in events]
    return "".join(
        c["choices"][0]["delta"].get("content") or "" for c in chunks if c.get("choices")
    )


def test_the_same_request_is_answered_once(start_gateway: StartGateway, provider: Provider) -> None:
    """The second time nobody is asked, nothing is spent, and it is told and logged."""
    gateway = start_gateway(CACHED)
    first, again = chat(gateway, model="cheap"), chat(gateway, model="cheap")
    assert len(provider.seen) == 1
    assert (first.headers["x-emafusion-cache"], again.headers["x-emafusion-cache"]) == (
        "miss",
        "hit",
    )
    assert again.body["choices"] == first.body["choices"]
    assert float(again.headers["x-emafusion-cost-usd"]) == 0
    assert rows(gateway, "select route, cost_usd from outcomes order by rowid")[1] == ("cache", 0)


def test_a_stream_is_given_again_too(start_gateway: StartGateway, provider: Provider) -> None:
    """Streamed or whole is how an answer is delivered, not which."""
    gateway = start_gateway(CACHED)
    whole = chat(gateway, model="cheap").body["choices"][0]["message"]["content"]
    stream = streamed(gateway)
    assert stream.headers["x-emafusion-cache"] == "hit"
    assert text_of(stream) == whole
    assert len(provider.seen) == 1


def test_another_request_is_another(start_gateway: StartGateway, provider: Provider) -> None:
    """One word, one setting, an unknown field: each makes a new one."""
    gateway = start_gateway(CACHED)
    for more in ({}, {"temperature": 0.5}, {"vendor_field": 1}, {"vendor_field": 2}):
        assert chat(gateway, model="cheap", **more).headers["x-emafusion-cache"] == "miss"
    assert len(provider.seen) == 4


def test_a_client_may_want_it_anew(start_gateway: StartGateway, provider: Provider) -> None:
    """By our header, by our field in the body, or as it would tell any cache."""
    gateway = start_gateway(CACHED)
    chat(gateway, model="cheap")
    for headers in ({"x-emafusion-cache": "off"}, {"cache-control": "no-cache"}):
        said = chat(gateway, headers, model="cheap")
        assert "x-emafusion-cache" not in said.headers
    chat(gateway, model="cheap", emafusion={"cache": False})
    assert len(provider.seen) == 4
    assert chat(gateway, {"x-emafusion-cache": "perhaps"}, model="cheap").status == 400


def test_a_failure_is_not_kept(start_gateway: StartGateway, provider: Provider) -> None:
    """What failed is tried again."""
    gateway = start_gateway(CACHED)
    provider.script = {"cheap": "status:400"}
    assert chat(gateway, model="cheap").status == 400
    provider.script = {}
    assert chat(gateway, model="cheap").status == 200


def test_each_key_has_its_own(start_gateway: StartGateway, provider: Provider) -> None:
    """Nobody is given what another one's request brought."""
    gateway = start_gateway(CACHED, keys=("one", "two"))
    for key in ("one", "two", "one"):
        chat(gateway, {"authorization": f"Bearer {key}"}, model="cheap")
    assert len(provider.seen) == 2


def test_alike_is_enough_where_that_is_asked_for(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """The same words in other dress; but another number is another question."""
    gateway = start_gateway(ALIKE)

    def ask(text: str) -> str:
        said = chat(gateway, model="cheap", messages=[{"role": "user", "content": text}])
        return said.headers["x-emafusion-cache"]

    assert ask("How far is it from Oslo to Bergen by train on day 12?") == "miss"
    assert ask("how far is it from oslo to bergen by train  on day 12?") == "hit"
    assert ask("How far is it from Oslo to Bergen by train on day 13?") == "miss"
    assert ask("How far is it not from Oslo to Bergen by train on day 12?") == "miss"
    assert len(provider.seen) == 3


def test_who_tries_again_with_the_same_key_pays_once(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """The very same answer, with the decision id of the first."""
    gateway = start_gateway()
    key = {"idempotency-key": "order-66"}
    first, again = chat(gateway, key, model="cheap"), chat(gateway, key, model="cheap")
    assert len(provider.seen) == 1
    assert again.body == first.body
    assert again.headers["x-emafusion-replayed"] == "true"
    assert len(rows(gateway)) == 1


def test_the_same_key_with_another_request_is_refused(start_gateway: StartGateway) -> None:
    """It can only be a mistake."""
    gateway = start_gateway()
    key = {"idempotency-key": "order-66"}
    chat(gateway, key, model="cheap")
    said = chat(gateway, key, model="cheap", temperature=0.1)
    assert said.status == 422
    assert said.error["code"] == "idempotency_key_reused"
    assert chat(gateway, {"idempotency-key": "x" * 300}).status == 400


def test_two_at_once_share_one_answer(start_gateway: StartGateway, provider: Provider) -> None:
    """The second waits for the first; after a failure it tries by itself."""
    gateway = start_gateway()
    provider.script = {"cheap": "slow:one two three four"}
    got: list[Said] = []
    key = {"idempotency-key": "both"}

    def first() -> None:
        got.append(streamed(gateway, **key))

    thread = threading.Thread(target=first)
    thread.start()
    until(lambda: provider.seen)
    second = chat(gateway, key, model="cheap")
    thread.join()
    assert len(provider.seen) == 1
    assert second.body["choices"][0]["message"]["content"] == text_of(got[0])


def test_who_has_no_time_to_wait_is_told_when_to_come_back(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """409 with `retry-after`, as other services do it; nothing is asked twice."""
    gateway = start_gateway()
    provider.script = {"cheap": "slow:one two three four five six"}
    key = {"idempotency-key": "both"}
    thread = threading.Thread(target=lambda: streamed(gateway, **key))
    thread.start()
    until(lambda: provider.seen)
    second = chat(gateway, {**key, "x-emafusion-max-latency-s": "0.2"}, model="cheap")
    thread.join()
    assert (second.status, second.error["code"]) == (409, "idempotency_key_in_use")
    assert second.headers["retry-after"] == "1"
    assert len(provider.seen) == 1
