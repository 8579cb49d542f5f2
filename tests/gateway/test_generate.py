"""Google's API in front of the gateway, over real sockets."""

from __future__ import annotations

import json

from tests.gateway.provider import Provider
from tests.gateway.starting import CHEAP_AND_DEAR, StartGateway
from tests.gateway.talking import Body, rows, send

ASKED: Body = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
POOL = """
  - {name: gemini-3-pro, provider: gemini, base_url: "URL", api_key_env: EMAFUSION_HOME,
     prompt_usd_per_mtok: 2, completion_usd_per_mtok: 12, context_tokens: 100000,
     abilities: [tools, reasoning]}
"""
SAID: Body = {
    "candidates": [
        {
            "content": {"parts": [{"text": "Hello", "thoughtSignature": "c2ln"}], "role": "model"},
            "finishReason": "STOP",
            "index": 0,
        }
    ],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 1, "totalTokenCount": 4},
    "modelVersion": "gemini-3-pro",
    "responseId": "r1",
}


def test_google_is_asked_and_heard_as_it_is(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """Body, signatures and unknown fields, whole and streamed; ours stands beside them."""
    gateway = start_gateway(models=POOL)
    data = json.dumps(SAID).encode()
    provider.canned = {
        ":generateContent": ("application/json", data),
        ":streamGenerateContent": ("text/event-stream", b"data: %b\n\n" % data),
        ":countTokens": ("application/json", b'{"totalTokens": 7}'),
    }
    asked = {**ASKED, "safetySettings": [{"category": "x"}], "fromTheFuture": 1}
    body = json.dumps({**asked, "emafusion": {"session": "s"}}).encode()
    place = "/v1beta/models/gemini-3-pro"
    whole = send(gateway, "POST", f"{place}:generateContent", body).body
    events = send(gateway, "POST", f"{place}:streamGenerateContent?alt=sse", body)
    array = send(gateway, "POST", f"{place}:streamGenerateContent", body)
    counted = send(gateway, "POST", f"{place}:countTokens", json.dumps(ASKED).encode())
    streamed = json.loads(events.raw.removeprefix(b"data: "))
    (item,) = json.loads(array.raw)
    for got in (whole, streamed, item):
        assert got.pop("emafusion")["model"] == "gemini-3-pro"
        assert got == SAID
    assert events.headers["content-type"].startswith("text/event-stream")
    assert array.headers["content-type"].startswith("application/json")
    assert provider.seen[:3] == [asked] * 3
    assert counted.body == {"totalTokens": 7}
    assert counted.headers["x-emafusion-counted-by"] == "gemini-3-pro"
    assert rows(gateway) == [200, 200, 200]


def test_a_model_of_openai_answers_in_googles_shape(start_gateway: StartGateway) -> None:
    """By any way of writing the path; the key is where this API's clients put it."""
    gateway = start_gateway(keys=("k",))
    body = json.dumps(ASKED).encode()
    places = (
        "/v1beta/models/cheap",
        "/v1/models/cheap",
        "/models/cheap",
        "/v1/v1beta/models/cheap",
    )
    for place in places:
        said = send(gateway, "POST", f"{place}:generateContent?key=k", body)
        (candidate,) = said.body["candidates"]
        assert candidate["content"]["parts"] == [{"text": "echo of Hi"}]
    said = send(gateway, "POST", f"{places[0]}:generateContent", body, {"x-goog-api-key": "k"})
    assert said.body["usageMetadata"]["promptTokenCount"] == 100
    assert send(gateway, "POST", f"{places[0]}:generateContent?key=no", body).status == 401
    twice = send(gateway, "POST", f"{places[0]}:generateContent?key=k&key=k", body)
    assert (twice.status, twice.body["error"]["message"]) == (400, "key: is given twice")


def test_the_profiles_and_unknown_names(start_gateway: StartGateway) -> None:
    """A name may hold a slash; one that is not there is a 404 with the nearest."""
    gateway = start_gateway()
    body = json.dumps(ASKED).encode()
    eco = send(gateway, "POST", "/v1beta/models/emafusion/eco:generateContent", body)
    unknown = send(gateway, "POST", "/v1beta/models/cheep:generateContent", body)
    assert eco.status == 200
    assert (unknown.status, unknown.body["error"]["status"]) == (404, "NOT_FOUND")
    assert "did you mean 'cheap'" in unknown.body["error"]["message"]


def test_models_are_listed(start_gateway: StartGateway) -> None:
    """In Google's shape, for who knows the key."""
    gateway = start_gateway(models=POOL + CHEAP_AND_DEAR, keys=("k",))
    names = [m["name"] for m in send(gateway, "GET", "/v1beta/models?key=k").body["models"]]
    one = send(gateway, "GET", "/v1beta/models/cheap", headers={"x-goog-api-key": "k"}).body
    assert {"models/auto", "models/gemini-3-pro", "models/cheap"} <= set(names)
    assert one["name"] == "models/cheap"
    theirs = send(gateway, "GET", "/v1/models", headers={"x-goog-api-key": "k"})
    assert "models" in theirs.body
    assert send(gateway, "GET", "/v1beta/models").status == 401


def test_the_key_is_not_in_the_log(start_gateway: StartGateway) -> None:
    """Also where it stands in the address."""
    gateway = start_gateway(keys=("a-key-that-nobody-has",))
    body = json.dumps(ASKED).encode()
    place = "/v1beta/models/auto:generateContent?key=a-key-that-nobody-has"
    assert send(gateway, "POST", place, body).status == 200
    assert b"a-key-that-nobody-has" not in gateway.log.read_bytes()
