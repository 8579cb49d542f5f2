"""Chat completions over real sockets, by the official client and by hand."""

from __future__ import annotations

import http.client
import json
import sqlite3
import time
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import openai
import pytest
from openai import AsyncOpenAI, OpenAI
from openai.types.chat import ChatCompletionMessageFunctionToolCallParam, ChatCompletionMessageParam
from tests.gateway.provider import Provider
from tests.gateway.starting import CHEAP_AND_DEAR, Gateway, StartGateway

QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "user", "content": "What is the capital of Norway?"}
]


CLIENTS: list[OpenAI] = []


@pytest.fixture(autouse=True)
def close_clients() -> Iterator[None]:
    """Close every client that a test has made."""
    yield
    while CLIENTS:
        CLIENTS.pop().close()


def client(gateway: Gateway) -> OpenAI:
    """The official client, unchanged but for its address."""
    url = f"{gateway.url}/v1"
    CLIENTS.append(OpenAI(base_url=url, api_key="unused", max_retries=0, timeout=20))
    return CLIENTS[-1]


def test_routed_answer(gateway: Gateway, provider: Provider) -> None:
    """A question to `auto` comes back answered, with the real model's name and the facts."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    raw = client(gateway).chat.completions.with_raw_response.create(model="auto", messages=QUESTION)
    reply = raw.parse()
    assert reply.choices[0].message.content == "Oslo"
    assert reply.model in {"cheap", "dear"}
    assert reply.usage is not None
    assert reply.usage.prompt_tokens == 100
    assert raw.headers["x-emafusion-model"] == reply.model
    assert float(raw.headers["x-emafusion-cost-usd"]) > 0
    assert float(raw.headers["x-emafusion-confidence"]) > 0
    assert raw.headers["x-emafusion-decision-id"].startswith("em-")
    assert (reply.model_extra or {})["provider_field"] == "kept"


def test_named_model_goes_straight_there(gateway: Gateway, provider: Provider) -> None:
    """A listed model's name is a direct call; unknown parameters arrive as they were sent."""
    reply = client(gateway).chat.completions.create(
        model="dear", messages=QUESTION, seed=7, extra_body={"top_k": 40, "made_up": {"a": 1}}
    )
    assert reply.model == "dear"
    assert provider.seen[-1]["seed"] == 7
    assert provider.seen[-1]["top_k"] == 40
    assert provider.seen[-1]["made_up"] == {"a": 1}
    assert [body["model"] for body in provider.seen] == ["dear"]


def test_streamed_answer(gateway: Gateway, provider: Provider) -> None:
    """A stream is the whole answer, ends with its usage, and carries the facts in that chunk."""
    provider.script = {"dear": "The capital is Oslo"}
    stream = client(gateway).chat.completions.create(
        model="dear", messages=QUESTION, stream=True, stream_options={"include_usage": True}
    )
    chunks = list(stream)
    text = "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)
    assert text == "The capital is Oslo"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 4
    told = (chunks[-1].model_extra or {})["emafusion"]
    assert told["model"] == "dear"
    assert told["cost_usd"] > 0


def test_routed_stream_is_the_same_answer(gateway: Gateway, provider: Provider) -> None:
    """Held back or live, a routed stream gives the text that was decided on."""
    provider.script = {"cheap": "Oslo it is", "dear": "Oslo it is"}
    stream = client(gateway).chat.completions.create(model="auto", messages=QUESTION, stream=True)
    chunks = list(stream)
    assert "".join(c.choices[0].delta.content or "" for c in chunks if c.choices) == "Oslo it is"
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert not any(chunk.usage for chunk in chunks)


async def test_async_client(gateway: Gateway, provider: Provider) -> None:
    """The async client works unchanged."""
    provider.script = {"cheap": "Oslo", "dear": "Oslo"}
    async with AsyncOpenAI(base_url=f"{gateway.url}/v1", api_key="unused") as talk:
        reply = await talk.chat.completions.create(model="auto", messages=QUESTION)
        assert reply.choices[0].message.content == "Oslo"


def test_every_answer_is_logged(gateway: Gateway) -> None:
    """What the client got is in the store by then, under the id in its header."""
    raw = client(gateway).chat.completions.with_raw_response.create(model="auto", messages=QUESTION)
    with sqlite3.connect(gateway.log) as db:
        rows = db.execute("select decision_id, status from outcomes").fetchall()
    assert rows == [(raw.headers["x-emafusion-decision-id"], 200)]


@pytest.mark.parametrize(
    ("scripted", "raised"),
    [
        ("status:429", openai.RateLimitError),
        ("status:400", openai.BadRequestError),
        ("status:401", openai.APIStatusError),
        ("garbage", openai.APIStatusError),
    ],
)
def test_failing_provider_is_an_honest_status(
    start_gateway: StartGateway, provider: Provider, scripted: str, raised: type[Exception]
) -> None:
    """When every model fails, the client gets the last failure's status in OpenAI's shape."""
    gateway = start_gateway()
    provider.script = {"cheap": scripted, "dear": scripted}
    with pytest.raises(raised) as caught:
        client(gateway).chat.completions.create(model="auto", messages=QUESTION)
    assert caught.value.body["message"]  # type: ignore[attr-defined]
    with sqlite3.connect(gateway.log) as db:
        assert db.execute("select count(*) from outcomes").fetchone() == (1,)


def test_failure_of_one_falls_back_to_the_other(gateway: Gateway, provider: Provider) -> None:
    """One model down is not the client's trouble."""
    provider.script = {"cheap": "status:500", "dear": "Oslo"}
    reply = client(gateway).chat.completions.create(
        model="emafusion/eco", messages=QUESTION, extra_body={"emafusion": {"quality_weight": 0}}
    )
    assert reply.choices[0].message.content == "Oslo"


def test_unknown_model_names_the_nearest(gateway: Gateway) -> None:
    """A typo in the model's name gets a 404 that names the nearest."""
    with pytest.raises(openai.NotFoundError, match="did you mean 'cheap'"):
        client(gateway).chat.completions.create(model="cheep", messages=QUESTION)


def test_options_are_checked(gateway: Gateway) -> None:
    """A wrong option is a 400 that names it, in body and header."""
    with pytest.raises(openai.BadRequestError, match="quality_weight"):
        client(gateway).chat.completions.create(
            model="auto", messages=QUESTION, extra_body={"emafusion": {"quality_weigth": 1}}
        )
    with pytest.raises(openai.BadRequestError, match="x-emafusion-quality-weight"):
        client(gateway).chat.completions.create(
            model="auto", messages=QUESTION, extra_headers={"x-emafusion-quality-weight": "much"}
        )


def test_models_can_be_limited(gateway: Gateway, provider: Provider) -> None:
    """A request may name the models that may answer it."""
    reply = client(gateway).chat.completions.create(
        model="auto", messages=QUESTION, extra_headers={"x-emafusion-models": "dear"}
    )
    assert reply.model == "dear"
    assert {body["model"] for body in provider.seen} == {"dear"}
    assert all("emafusion" not in body for body in provider.seen)


def test_models_are_listed(gateway: Gateway) -> None:
    """The router's names and the pool's are listed, one by one retrievable."""
    names = [model.id for model in client(gateway).models.list()]
    assert {"auto", "emafusion/auto", "emafusion/eco", "cheap", "dear"} <= set(names)
    assert client(gateway).models.retrieve("cheap").id == "cheap"
    assert client(gateway).models.retrieve("emafusion/eco").owned_by == "emafusion"
    with pytest.raises(openai.NotFoundError):
        client(gateway).models.retrieve("nobody")


@pytest.mark.parametrize("stream", ["true", "false"])
def test_leaving_client_ends_the_upstream_call(
    gateway: Gateway, provider: Provider, stream: str
) -> None:
    """Within a second of the client leaving the provider sees it, and the log has the row."""
    provider.script = {"cheap": "hang", "dear": "hang"}
    connection = _connection(gateway.url)
    body = json.dumps({"model": "dear", "messages": QUESTION, "stream": stream == "true"})
    connection.request("POST", "/v1/chat/completions", body)
    _until(lambda: provider.seen)
    connection.close()
    assert provider.left.wait(1.0), "the provider did not see the client leave"
    _until(lambda: _statuses(gateway) == [499])


def test_deadline_covers_everything(start_gateway: StartGateway, provider: Provider) -> None:
    """A request that cannot be answered in time is a 504, in time."""
    gateway = start_gateway("gateway: {request_timeout_s: 1.0}\n")
    provider.script = {"cheap": "hang", "dear": "hang"}
    started = time.monotonic()
    with pytest.raises(openai.APIStatusError) as caught:
        client(gateway).chat.completions.create(model="auto", messages=QUESTION)
    assert caught.value.status_code == 504
    assert time.monotonic() - started < 2.5


def test_keys(start_gateway: StartGateway) -> None:
    """With keys on, a wrong key is a 401 and the right one is let in, also as `x-api-key`."""
    gateway = start_gateway(keys=("let-me-in",))
    with pytest.raises(openai.AuthenticationError):
        client(gateway).models.list()
    assert client(gateway).with_options(api_key="let-me-in").models.list().data
    status, _ = _get(gateway.url, "/v1/models", {"x-api-key": "let-me-in"})
    assert status == 200
    assert _get(gateway.url, "/health", {})[0] == 200


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/v1/models", "/v1/models/"])
def test_version_in_the_path_is_lenient(gateway: Gateway, path: str) -> None:
    """A missing or doubled /v1 works."""
    assert _get(gateway.url, path, {})[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/v1/chat/completions", b"", 400),
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b"[]", 400),
        ("POST", "/v1/chat/completions", b"\xff\xfe", 400),
        ("POST", "/v1/chat/completions", b'{"model": "auto"}', 400),
        ("POST", "/v1/chat/completions", b'{"model": 7, "messages": []}', 400),
        ("POST", "/v1/chat/completions", b"[" * 100_000, 400),
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/v1/nowhere", b"{}", 404),
        ("GET", "/", b"", 404),
        ("GET", "/v1/models/%2e%2e%2fetc", b"", 404),
    ],
)
def test_bad_request_is_a_4xx_in_shape(
    gateway: Gateway, method: str, path: str, body: bytes, status: int
) -> None:
    """Malformed requests get a 4xx with a message, never a 5xx."""
    connection = _connection(gateway.url)
    connection.request(method, path, body)
    response = connection.getresponse()
    told = json.loads(response.read())
    connection.close()
    assert response.status == status
    assert told["error"]["message"]
    assert set(told["error"]) == {"message", "type", "param", "code"}


def test_large_body_is_refused(start_gateway: StartGateway) -> None:
    """A body over the limit is a 413, without being read whole."""
    gateway = start_gateway("gateway: {max_body_mb: 0.01}\n")
    with pytest.raises(openai.APIStatusError) as caught:
        client(gateway).chat.completions.create(
            model="auto", messages=[{"role": "user", "content": "x" * 20_000}]
        )
    assert caught.value.status_code == 413


def test_dry_run_calls_nobody(gateway: Gateway, provider: Provider) -> None:
    """`/v1/route` tells the plan, and the provider hears nothing."""
    connection = _connection(gateway.url)
    connection.request("POST", "/v1/route", json.dumps({"model": "auto", "messages": QUESTION}))
    plan = json.loads(connection.getresponse().read())
    connection.close()
    assert {each["model"] for each in plan["candidates"]} == {"cheap", "dear"}
    assert plan["first"].startswith("call ")
    assert not provider.seen


def test_dry_run_of_a_named_model_promises_what_the_call_does(
    start_gateway: StartGateway, provider: Provider
) -> None:
    """A client that names a model gets it, whatever is known of it; so says the plan."""
    gateway = start_gateway(models=CHEAP_AND_DEAR.replace("tools, ", ""))
    tool = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}
    body = json.dumps({"model": "dear", "messages": QUESTION, "tools": [tool]})
    for path in ("/v1/route", "/v1/chat/completions"):
        connection = _connection(gateway.url)
        connection.request("POST", path, body)
        response = connection.getresponse()
        assert response.status == 200
        told = json.loads(response.read())
        connection.close()
        if path == "/v1/route":
            assert (told["route"], told["first"], told["excluded"]) == ("direct", "call dear", {})
    assert len(provider.seen) == 1


def test_held_answer_is_announced(start_gateway: StartGateway, provider: Provider) -> None:
    """While an answer is held back, a comment keeps the connection alive and says why."""
    gateway = start_gateway()
    provider.script = {"cheap": "hang", "dear": "hang"}
    connection = _connection(gateway.url)
    body = {"model": "auto", "messages": QUESTION, "stream": True}
    connection.request("POST", "/v1/chat/completions", json.dumps(body))
    response = connection.getresponse()
    assert response.status == 200
    assert response.readline().startswith(b": ")
    response.close()
    connection.close()


def test_tool_loop_stays_with_its_model(gateway: Gateway) -> None:
    """A turn that answers a tool call goes to the model that made the call."""
    call: ChatCompletionMessageFunctionToolCallParam = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "look", "arguments": "{}"},
    }
    turns: list[ChatCompletionMessageParam] = [
        *QUESTION,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_1", "content": "Oslo"},
    ]
    reply = client(gateway).chat.completions.create(model="auto", messages=turns)
    assert reply.choices[0].message.content == "echo of Oslo"


def _connection(url: str) -> http.client.HTTPConnection:
    return http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)


def _get(url: str, path: str, headers: dict[str, str]) -> tuple[int, bytes]:
    connection = _connection(url)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def _statuses(gateway: Gateway) -> list[int]:
    with sqlite3.connect(gateway.log) as db:
        return [row[0] for row in db.execute("select status from outcomes")]


def _until(true: Callable[[], object]) -> None:
    for _ in range(200):
        if true():
            return
        time.sleep(0.02)
    raise AssertionError("it did not come to that")


def test_failing_model_is_left_alone_for_a_while(gateway: Gateway, provider: Provider) -> None:
    """After a run of failures a model is no longer tried first on every request."""
    provider.script = {"cheap": "status:500", "dear": "Oslo"}
    for _ in range(8):
        client(gateway).chat.completions.create(model="emafusion/eco", messages=QUESTION)
    tried = sum(body["model"] == "cheap" for body in provider.seen)
    client(gateway).chat.completions.create(model="emafusion/eco", messages=QUESTION)
    assert sum(body["model"] == "cheap" for body in provider.seen) == tried
