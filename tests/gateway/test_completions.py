"""The older completions API, by the official client and by hand, against a real gateway."""

from __future__ import annotations

import json

import openai
import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import Body, rows, send


@pytest.fixture
def client(gateway: Gateway) -> openai.OpenAI:
    """The official client."""
    return openai.OpenAI(base_url=f"{gateway.url}/v1", api_key="none", max_retries=0)


def test_a_prompt_is_continued(client: openai.OpenAI, provider: Provider, gateway: Gateway) -> None:
    """A text in, a text out; the model hears it from a user."""
    provider.script["cheap"] = "Oslo"
    done = client.completions.create(model="cheap", prompt="The capital is", max_tokens=5)
    assert (done.choices[0].text, done.choices[0].finish_reason) == ("Oslo", "stop")
    assert done.usage is not None
    assert done.usage.total_tokens == 101
    assert provider.seen[0]["messages"] == [{"role": "user", "content": "The capital is"}]
    assert provider.seen[0]["max_tokens"] == 5
    assert rows(gateway) == [200]


def test_several_prompts_are_several_queries(client: openai.OpenAI, gateway: Gateway) -> None:
    """Each has its answers in its place, its own row in the log, and the usage is of all."""
    done = client.completions.create(model="cheap", prompt=["one", "two"], n=2, echo=True)
    assert [choice.index for choice in done.choices] == [0, 1, 2, 3]
    assert [choice.text for choice in done.choices] == [
        "oneecho of one",
        "oneecho of one",
        "twoecho of two",
        "twoecho of two",
    ]
    assert done.usage is not None
    assert done.usage.prompt_tokens == 200
    assert rows(gateway) == [200, 200]


def test_a_stream(client: openai.OpenAI, provider: Provider) -> None:
    """Chunks add up to the prompt, if it is to be repeated, and what was said."""
    provider.script["cheap"] = "Oslo it is"
    with client.completions.create(
        model="cheap",
        prompt="Capital? ",
        echo=True,
        stream=True,
        stream_options={"include_usage": True},
    ) as stream:
        chunks = list(stream)
    said = "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
    assert said == "Capital? Oslo it is"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage is not None


def test_log_probabilities(client: openai.OpenAI, provider: Provider) -> None:
    """They come as lists side by side, with the place of each token in the text."""
    provider.script["cheap"] = "Oslo now"
    done = client.completions.create(model="cheap", prompt="?", logprobs=0)
    scores = done.choices[0].logprobs
    assert scores is not None
    assert (scores.tokens, scores.token_logprobs) == (["Oslo", "now"], [-0.1, -0.1])
    assert scores.text_offset == [0, 4]
    assert provider.seen[0]["logprobs"] is True


def test_a_failure_is_the_answer_to_all(gateway: Gateway, provider: Provider) -> None:
    """Where one of several prompts fails, so does the request."""
    provider.script["cheap"] = "status:503"
    body = json.dumps({"model": "cheap", "prompt": ["a", "b"]}).encode()
    said = send(gateway, "POST", "/v1/completions", body)
    assert said.status == 503
    assert said.error["message"]


REFUSED: list[tuple[Body, str]] = [
    ({"prompt": None}, "prompt"),
    ({"prompt": ""}, "prompt"),
    ({"prompt": []}, "prompt"),
    ({"prompt": [""]}, "prompt[0]"),
    ({"prompt": [1, 2]}, "prompt[0]"),
    ({"prompt": [[1, 2]]}, "prompt[0]"),
    ({"prompt": 3}, "prompt"),
    ({"prompt": ["a", "b"], "stream": True}, "stream"),
    ({"suffix": "the end"}, "suffix"),
    ({"best_of": 4}, "best_of"),
    ({"logprobs": 9}, "logprobs"),
    ({"n": 0}, "n"),
    ({"messages": []}, "messages"),
    ({"tools": []}, "tools"),
    ({"model": "nobody"}, "model"),
    ({"temperature": "hot"}, "temperature"),
]


def test_what_cannot_be_done_is_refused(gateway: Gateway, provider: Provider) -> None:
    """By the name of its field, and without asking anybody."""
    for fields, where in REFUSED:
        body = json.dumps({"model": "cheap", "prompt": "?", **fields}).encode()
        said = send(gateway, "POST", "/v1/completions", body)
        assert said.status in {400, 404}, said.raw
        assert said.error["param"].startswith(where), (where, said.raw)
    assert not provider.seen
