"""Embeddings, by the official client and by hand, against a real gateway."""

from __future__ import annotations

import json

import openai
import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import Body, connection, rows, send, until

MODELS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
"""


@pytest.fixture
def embedding(start_gateway: StartGateway, provider: Provider) -> Gateway:
    """A gateway with an embedding model."""
    return start_gateway(MODELS.replace("URL", provider.url))


def client_of(gateway: Gateway) -> openai.OpenAI:
    """The official client."""
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)


def ask(gateway: Gateway, **fields: object) -> Body:
    """Ask by hand; the body of the reply."""
    body = json.dumps({"model": "small", "input": "a text", **fields}).encode()
    said = send(gateway, "POST", "/v1/embeddings", body)
    return {"status": said.status, **said.body}


def test_texts_become_vectors(embedding: Gateway, provider: Provider) -> None:
    """One for each, in their order, whatever form the client asks for (this one asks base64)."""
    made = client_of(embedding).embeddings.create(model="small", input=["a", "bb"], dimensions=2)
    assert [data.embedding for data in made.data] == [[1.0, 0.5], [2.0, 0.5]]
    assert made.model == "small"
    assert made.usage.prompt_tokens == 2
    assert provider.seen[0]["dimensions"] == 2
    assert provider.seen[0]["input"] == ["a", "bb"]


@pytest.mark.parametrize("form", ["float", "base64"])
def test_the_form_is_the_one_asked_for(embedding: Gateway, provider: Provider, form: str) -> None:
    """Also where the server does not know it."""
    provider.script["small"] = "floats" if form == "base64" else "packed"
    vector = ask(embedding, encoding_format=form)["data"][0]["embedding"]
    assert vector == ([6.0, 0.5] if form == "float" else "AADAQAAAAD8=")


def test_tokens_go_on_as_they_are(embedding: Gateway, provider: Provider) -> None:
    """A text may come as its tokens, and so may several."""
    assert ask(embedding, input=[1, 2, 3])["status"] == 200
    assert ask(embedding, input=[[1, 2], [3]])["status"] == 200
    assert [body["input"] for body in provider.seen] == [[[1, 2, 3]], [[1, 2], [3]]]


def test_it_is_counted_and_logged(embedding: Gateway) -> None:
    """The log has the cost and the model, and not the texts."""
    told = ask(embedding, input=["a"] * 500)["emafusion"]
    assert told["cost_usd"] == pytest.approx(500 * 0.02e-6)
    assert rows(embedding, "select candidate, route, cost_usd, status from outcomes") == [
        ("small", "embedding", pytest.approx(500 * 0.02e-6), 200)
    ]
    assert rows(embedding, "select prompt, messages from details") == [("", "[]")]


def test_it_is_tried_again(embedding: Gateway, provider: Provider) -> None:
    """A server that is busy for a moment is asked again; then the failure is told and logged."""
    provider.script["small"] = "status:503"
    assert ask(embedding)["status"] == 503
    assert len(provider.seen) == 3
    assert rows(embedding, "select status, failure, looks from outcomes") == [
        (503, "overloaded", 3)
    ]


def test_models_are_listed(embedding: Gateway) -> None:
    """Clients find the model where they find all others."""
    listed = send(embedding, "GET", "/v1/models").body["data"]
    assert "small" in {entry["id"] for entry in listed}


def test_without_a_model_it_says_how_to_add_one(gateway: Gateway) -> None:
    """A clear 404."""
    told = ask(gateway)
    assert told["status"] == 404
    assert "embeddings" in told["error"]["message"]


REFUSED: list[tuple[Body, str]] = [
    ({"input": None}, "input"),
    ({"input": ""}, "input"),
    ({"input": []}, "input"),
    ({"input": ["a", ""]}, "input[1]"),
    ({"input": ["a", 3]}, "input[1]"),
    ({"input": [1, "a"]}, "input"),
    ({"input": [-1]}, "input"),
    ({"input": [[]]}, "input[0]"),
    ({"input": ["a"] * 2049}, "input"),
    ({"input": {"text": "a"}}, "input"),
    ({"dimensions": 0}, "dimensions"),
    ({"encoding_format": "int8"}, "encoding_format"),
    ({"model": "large"}, "model"),
    ({"model": None}, "model"),
    ({"user": 3}, "user"),
]


def test_what_cannot_be_done_is_refused(embedding: Gateway, provider: Provider) -> None:
    """By the name of its field, and without asking anybody."""
    for fields, where in REFUSED:
        told = ask(embedding, **fields)
        assert told["status"] in {400, 404}, told
        assert told["error"]["param"].startswith(where), (where, told)
    assert not provider.seen


def test_a_limit_is_no_wish(embedding: Gateway, provider: Provider) -> None:
    """What may cost more than is allowed is not asked."""
    body = json.dumps({"model": "small", "input": "word " * 1000}).encode()
    limit = {"x-emafusion-max-cost-usd": "0.000001"}
    said = send(embedding, "POST", "/v1/embeddings", body, limit)
    assert (said.status, said.error["param"]) == (400, "max_cost_usd")
    assert not provider.seen


def test_limits_of_a_key_hold(start_gateway: StartGateway, provider: Provider) -> None:
    """Models that a key may not use are refused; nobody is asked."""
    gateway = start_gateway(MODELS.replace("URL", provider.url), keys=("one",))
    body = json.dumps({"model": "small", "input": "?"}).encode()
    assert send(gateway, "POST", "/v1/embeddings", body).status == 401
    key = {"authorization": "Bearer one"}
    assert send(gateway, "POST", "/v1/embeddings", body, key).status == 200
    assert rows(gateway, "select count(*) from outcomes where key_id is not null") == [1]


def test_a_client_that_leaves_is_noticed(embedding: Gateway, provider: Provider) -> None:
    """The provider's connection is closed, and the log has it."""
    provider.script["small"] = "hang"
    body = json.dumps({"model": "small", "input": "?"}).encode()
    talk = connection(embedding)
    talk.request("POST", "/v1/embeddings", body)
    until(lambda: provider.seen)
    talk.close()
    assert provider.left.wait(2)
    until(lambda: rows(embedding))
    assert rows(embedding) == [499]
