"""The child's HTTP face as the official client meets it, over a scripted pipeline."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import msgspec
import openai
import pytest
import uvicorn
from hypothesis import given
from hypothesis import strategies as st
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from tests.upstream.local.scripted_pipeline import ScriptedPipeline, echo

from emafusion.upstream.local.engine import Engine
from emafusion.upstream.local.face import Face
from emafusion.upstream.local.generate import generator
from emafusion.upstream.local.pool import embedded_actions
from emafusion.upstream.local.request import read_request

ZERO, FEW, VOTE = "smollm2-135m", "smollm2-135m-fewshot", "smollm2-135m-vote"
KEY = "a-key-of-this-test"


class ErrorOr(msgspec.Struct):
    """A body with an error, or any other."""

    error: dict[str, object] = {}


@dataclass(frozen=True)
class Served:
    """A face on a loopback port, the pipeline behind it, and a client."""

    pipeline: ScriptedPipeline
    port: int
    client: openai.AsyncOpenAI

    async def chat(self, text: str, model: str = ZERO, **more: object) -> ChatCompletion:
        """One answer; what the client's signature does not know goes in its `extra_body`."""
        return await self.client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": text}], extra_body=more
        )

    async def chunks(
        self, text: str, model: str = ZERO, **more: object
    ) -> list[ChatCompletionChunk]:
        """One streamed answer."""
        stream = await self.client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": text}],
            stream=True,
            stream_options={"include_usage": True},
            extra_body=more,
        )
        return [chunk async for chunk in stream]

    async def raw(
        self, data: bytes, *, key: str = KEY, line: str = "POST /v1/chat/completions"
    ) -> tuple[int, Mapping[str, object]]:
        """Send bytes as they are; status and error of the answer."""
        head = (
            f"{line} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {key}\r\n"
            f"content-length: {len(data)}\r\nconnection: close\r\n\r\n"
        )
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head.encode() + data)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        body = msgspec.json.decode(answer.partition(b"\r\n\r\n")[2], type=ErrorOr)
        return int(answer.split()[1]), body.error


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A face on a real port."""
    pipeline = ScriptedPipeline(echo, context_tokens=2000)
    engine = Engine(lambda: pipeline)
    face = Face(actions=embedded_actions(generator(engine)), api_key=KEY, default_max_tokens=64)
    config = uvicorn.Config(face, lifespan="off", ws="none", http="httptools", log_level="critical")
    server = uvicorn.Server(config)
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        task = asyncio.create_task(server.serve(sockets=[listener]))
        url = f"http://127.0.0.1:{port}/v1"
        async with openai.AsyncOpenAI(base_url=url, api_key=KEY, max_retries=0) as client:
            yield Served(pipeline, port, client)
        pipeline.gate.set()
        server.should_exit = True
        await task
    await asyncio.to_thread(engine.close)


def joined(chunks: list[ChatCompletionChunk], index: int = 0) -> str:
    """The text of one choice of a stream."""
    deltas = [choice for chunk in chunks for choice in chunk.choices if choice.index == index]
    return "".join(choice.delta.content or "" for choice in deltas)


async def test_an_answer_in_the_known_shape(served: Served) -> None:
    """Text, reason, tokens in and out, and the processor time on top."""
    reply = await served.chat("hello")
    assert (reply.choices[0].message.content, reply.choices[0].finish_reason) == ("hello", "stop")
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (5, 6)
    assert (reply.usage.model_extra or {})["cpu_seconds"] >= 0
    assert reply.model == ZERO


@pytest.mark.parametrize("model", [ZERO, FEW, VOTE, "calculator"])
@pytest.mark.parametrize("more", [{}, {"max_tokens": 3}, {"stop": "7"}, {"logprobs": True}])
async def test_a_stream_adds_up_to_the_whole(
    served: Served, model: str, more: dict[str, object]
) -> None:
    """Streamed or not: the same text, reason, tokens and log-probabilities."""
    whole = await served.chat("3 + 47", model, **more)
    chunks = await served.chunks("3 + 47", model, **more)
    assert joined(chunks) == whole.choices[0].message.content
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    assert [reason for reason in reasons if reason] == [whole.choices[0].finish_reason]
    assert chunks[-1].usage is not None
    assert whole.usage is not None
    assert chunks[-1].usage.total_tokens == whole.usage.total_tokens
    parts = [choice.logprobs for chunk in chunks for choice in chunk.choices if choice.logprobs]
    streamed = [token for part in parts for token in part.content or []]
    wanted = whole.choices[0].logprobs
    assert streamed == (wanted.content if wanted else [])


async def test_several_choices(served: Served) -> None:
    """N choices come with their indexes, streamed and not."""
    whole = await served.chat("hi", n=3, temperature=1)
    chunks = await served.chunks("hi", n=3, temperature=1)
    texts = [choice.message.content for choice in whole.choices]
    assert texts == ["hi", "hi1", "hi2"] == [joined(chunks, index) for index in range(3)]


async def test_settings_reach_the_engine(served: Served) -> None:
    """What the client sets is what the engine is asked for."""
    await served.chat(
        "hi", temperature=0.5, top_p=0.9, seed=7, max_completion_tokens=9, stop=["x", "y"]
    )
    sampling = served.pipeline.samplings[-1]
    assert (sampling.temperature, sampling.top_p, sampling.seed) == (0.5, 0.9, 7)
    assert (sampling.max_tokens, sampling.stop) == (9, ("x", "y"))


async def test_without_settings_an_answer_is_greedy_and_bounded(served: Served) -> None:
    """A small model rambles at temperature 1: none named means 0, and an answer has an end."""
    reply = await served.chat("x" * 100)
    assert served.pipeline.samplings[-1].temperature == 0
    assert reply.choices[0].finish_reason == "length"
    assert reply.usage is not None
    assert reply.usage.completion_tokens == 64


async def test_examples_precede_the_question(served: Served) -> None:
    """The few-shot action puts turns of its own before the first turn, and pays for them."""
    await served.client.chat.completions.create(
        model=FEW,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "Is it positive or negative? 'Nice.'"},
        ],
    )
    roles = [message.role for message in served.pipeline.prompts[-1]]
    assert roles[0] == "system"
    assert roles[1:-1] == ["user", "assistant"] * ((len(roles) - 2) // 2)
    assert len(roles) > 4


async def test_a_vote_gives_the_answer_of_most(served: Served) -> None:
    """Of five draws the largest group that agrees wins; all five are paid for."""
    draws = ("It is 7.", "8", "3 + 4 = 7", "9", "7!")
    served.pipeline.answer = lambda _said, sample: draws[sample]
    reply = await served.chat("3 + 4?", VOTE)
    assert "7" in (reply.choices[0].message.content or "")
    assert reply.usage is not None
    assert reply.usage.completion_tokens == sum(
        len(t) + 1 for t in ("It is 7.", "8", "3 + 4 = 7", "9", "7!")
    )


async def test_the_calculator_answers_or_says_that_it_is_not_its_task(served: Served) -> None:
    """A program among models: exact, or 422 with a code to fall back by."""
    reply = await served.chat("What is 12 times 7?", "calculator")
    assert reply.choices[0].message.content == "84"
    with pytest.raises(openai.UnprocessableEntityError) as refused:
        await served.chat("What is love?", "calculator")
    assert refused.value.code == "not_my_task"


@pytest.mark.parametrize("system", ["Answer in French.", "Always give JSON."])
async def test_the_calculator_abstains_from_instructions(served: Served, system: str) -> None:
    """It cannot follow a system message, so it leaves the question to others."""
    with pytest.raises(openai.UnprocessableEntityError):
        await served.client.chat.completions.create(
            model="calculator",
            messages=[
                {"role": "system", "content": system},
                {"role": "user", "content": "What is 12 times 7?"},
            ],
        )


async def test_models_say_what_they_are(served: Served) -> None:
    """The list tells a program from a language model."""
    kinds = {
        model.id: (model.model_extra or {})["kind"] async for model in served.client.models.list()
    }
    assert kinds == {
        ZERO: "language model",
        FEW: "language model",
        VOTE: "language model",
        "calculator": "program",
    }


IMAGE = {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}
CALL = {"role": "assistant", "tool_calls": [{"id": "1"}]}
SCHEMA = {"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": "no"}}}
GOOD = {"model": ZERO, "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("change", "status", "code", "param"),
    [
        ({"model": "nope"}, 404, "model_not_found", "model"),
        ({"messages": []}, 400, "invalid_value", "messages"),
        (
            {"messages": [{"role": "tool", "content": "x"}]},
            400,
            "invalid_value",
            "messages[0].role",
        ),
        ({"messages": [{"role": "user"}]}, 400, "invalid_value", "messages[0].content"),
        ({"temperature": 3}, 400, "invalid_value", "temperature"),
        ({"temperature": "hot"}, 400, "invalid_value", "temperature"),
        ({"max_tokens": 0}, 400, "invalid_value", "max_tokens"),
        ({"n": 17}, 400, "invalid_value", "n"),
        ({"stop": [""]}, 400, "invalid_value", "stop[0]"),
        ({"tools": [{"type": "function"}]}, 400, "unsupported_parameter", "tools"),
        ({"logit_bias": {"5": 1}}, 400, "unsupported_parameter", "logit_bias"),
        ({"response_format": {"type": "xml"}}, 400, "invalid_value", "response_format"),
        ({"stream_options": {"include_usage": True}}, 400, "invalid_value", "stream_options"),
        ({"metadata": {"a": "b"}, "n": 0}, 400, "invalid_value", "n"),
        ({"top_logprobs": 3}, 400, "invalid_value", "top_logprobs"),
        ({"colour": "red"}, 400, "unknown_parameter", "colour"),
        ({"model": VOTE, "n": 2}, 400, "invalid_value", "n"),
        ({"messages": [IMAGE]}, 400, "unsupported_parameter", "messages[0].content"),
        ({"messages": [CALL]}, 400, "unsupported_parameter", "messages[0].tool_calls"),
        (SCHEMA, 400, "invalid_value", "response_format.json_schema.schema"),
    ],
)
async def test_bad_requests_are_told_which_field(
    served: Served, change: dict[str, object], status: int, code: str, param: str
) -> None:
    """Each wrong field gets a 4xx in OpenAI's shape with its name."""
    got, error = await served.raw(json.dumps(GOOD | change).encode())
    assert (got, error["code"], error["param"]) == (status, code, param)
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"\xff\xfe",
        b'{"model": "\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 5000,
    ],
)
async def test_bodies_that_are_no_json_object(served: Served, data: bytes) -> None:
    """Whatever the bytes, the answer is a 400."""
    status, _ = await served.raw(data)
    assert status == 400


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False)
        | st.text(max_size=9),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from([*GOOD, "n", "stop", "tools", "seed", "stream", "role", "content"]),
                inner,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_body_makes_the_reader_raise(data: bytes) -> None:
    """Any bytes are a request or a failure that is the client's."""
    request = read_request(data, default_max_tokens=8)
    assert not hasattr(request, "status") or request.status in range(400, 500)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/v1/nothing", 404), ("GET", "/v1/chat/completions", 405), ("POST", "/health", 405)],
)
async def test_unknown_paths_and_methods(
    served: Served, method: str, path: str, status: int
) -> None:
    """The line names what there is."""
    status_got, error = await served.raw(b"", line=f"{method} {path}")
    assert status_got == status
    assert "/health" in str(error["message"]) or "use " in str(error["message"])


async def test_health_needs_no_key(served: Served) -> None:
    """The parent may ask for it at any time."""
    status, _ = await served.raw(b"", line="GET /health", key="none")
    assert status == 200


async def test_content_in_parts_is_joined(served: Served) -> None:
    """Text parts are one text, a developer message is a system message."""
    await served.client.chat.completions.create(
        model=ZERO,
        messages=[
            {"role": "developer", "content": [{"type": "text", "text": "Be brief."}]},
            {
                "role": "user",
                "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
            },
        ],
    )
    turns = [(message.role, message.content) for message in served.pipeline.prompts[-1]]
    assert turns == [("system", "Be brief."), ("user", "ab")]


@pytest.mark.parametrize(
    ("wanted", "schema"),
    [
        ({"type": "text"}, None),
        ({"type": "json_object"}, '{"type": "object"}'),
        ({"type": "json_schema", "json_schema": {"name": "n", "schema": {"a": 1}}}, '{"a":1}'),
    ],
)
async def test_response_formats_reach_the_engine(
    served: Served, wanted: dict[str, object], schema: str | None
) -> None:
    """Text, any object, or the client's own schema."""
    await served.chat("hi", response_format=wanted)
    got = served.pipeline.samplings[-1].json_schema
    assert (got and got.replace(" ", "")) == (schema and schema.replace(" ", ""))


async def test_too_large_a_body(served: Served) -> None:
    """More than 8 MiB is refused before it is read as JSON."""
    status, error = await served.raw(b" " * (8 * 1024 * 1024 + 1))
    assert (status, error["code"]) == (413, "body_too_large")


async def test_only_the_parent_may_ask(served: Served) -> None:
    """A wrong key gets a 401."""
    status, error = await served.raw(json.dumps(GOOD).encode(), key="guess")
    assert (status, error["code"]) == (401, "invalid_api_key")


async def test_too_long_a_prompt(served: Served) -> None:
    """A prompt over the context is a 400 that clients know, streamed too."""
    for ask in (served.chat, served.chunks):
        with pytest.raises(openai.BadRequestError) as refused:
            await ask("x" * 2000)
        assert refused.value.code == "context_length_exceeded"


async def test_a_client_that_leaves_stops_the_engine(served: Served) -> None:
    """A closed connection ends the generation within a step, streamed or not."""
    served.pipeline.gate.clear()
    for stream in (False, True):
        body = json.dumps(GOOD | {"stream": stream}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
        head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {KEY}\r\n"
        writer.write(f"{head}content-length: {len(body)}\r\n\r\n".encode() + body)
        await asyncio.sleep(0.1)
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
        del reader
    await asyncio.sleep(0.1)
    served.pipeline.gate.set()
    reply = await served.chat("still there")
    assert reply.choices[0].message.content == "still there"
    assert all(handle.told <= 2 for handle in served.pipeline.handles[:-1])
