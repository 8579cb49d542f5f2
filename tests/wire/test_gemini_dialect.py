"""The Gemini dialect: requests, replies and streams."""

from __future__ import annotations

from typing import cast

import msgspec
import pytest

from emafusion.domain.attempt import Choice, Delta, Reply, TokenLogprob, Usage
from emafusion.domain.command import Call
from emafusion.domain.errors import Failure, Garbled, RateLimited, Rejected
from emafusion.domain.model import Ability, Candidate, Model
from emafusion.domain.query import Query
from emafusion.wire.accumulate import Accumulator
from emafusion.wire.gemini import GeminiDialect
from emafusion.wire.openai import decode_query
from emafusion.wire.sse import SseParser

Json = dict[str, object]
DIALECT = GeminiDialect()
OLD, NEW = "gemini-2.5-flash", "gemini-3.1-pro-preview"


def query_of(**fields: object) -> Query:
    """A query as OpenAI's clients send it."""
    hello = [{"role": "user", "content": "Hello"}]
    body = msgspec.json.encode({"model": "auto", "messages": hello} | fields)
    return decode_query(body, query_id="q1")


def candidate(name: str, *abilities: Ability) -> Candidate:
    """A candidate of that name."""
    model = Model(name=name, provider="gemini", abilities=frozenset(abilities))
    return Candidate(name=name, model=model, deployment="d", remote_name=name)


def sent(query: Query, to: Candidate | None = None) -> Json:
    """The body that goes to Gemini."""
    call = Call(candidate=to or candidate(OLD), query=query)
    return cast("Json", msgspec.json.decode(DIALECT.request(call, stream=False).body))


def generation(query: Query, to: Candidate | None = None) -> object:
    """The part of the body that says how to generate."""
    return sent(query, to).get("generationConfig")


def folded(deltas: list[Delta]) -> Reply:
    """What deltas amount to."""
    accumulator = Accumulator()
    for delta in deltas:
        accumulator.add(delta)
    return accumulator.reply("?")


@pytest.mark.parametrize(
    ("name", "stream", "path"),
    [
        (OLD, False, "/models/gemini-2.5-flash:generateContent"),
        (OLD, True, "/models/gemini-2.5-flash:streamGenerateContent?alt=sse"),
        ("models/gemini-2.5-flash", False, "/models/gemini-2.5-flash:generateContent"),
        ("tunedModels/mine", False, "/tunedModels/mine:generateContent"),
        ("a?b#c", False, "/models/a%3Fb%23c:generateContent"),
    ],
)
def test_the_model_is_in_the_path(name: str, stream: bool, path: str) -> None:  # noqa: FBT001 - a row of the table
    """No name can lead anywhere else."""
    call = Call(candidate=candidate(name), query=query_of())
    assert DIALECT.request(call, stream=stream).path == path


def test_a_plain_question_goes_out_plainly() -> None:
    """Nothing is sent that was not said."""
    assert sent(query_of()) == {"contents": [{"role": "user", "parts": [{"text": "Hello"}]}]}


MESSAGES = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,QUJD"}},
            {"type": "image_url", "image_url": {"url": "https://x/y.png?z=1"}},
            {"type": "input_audio", "input_audio": {"data": "QUJD", "format": "mp3"}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
            {"id": "c2", "type": "function", "function": {"name": "g", "arguments": ""}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": '{"x":1}'},
    {"role": "tool", "tool_call_id": "c2", "content": "42"},
]


def test_a_conversation_becomes_contents() -> None:
    """The instruction apart, neighbours merged, results under the names of their calls."""
    body = sent(query_of(messages=MESSAGES))
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["contents"] == [
        {
            "role": "user",
            "parts": [
                {"text": "Look"},
                {"inlineData": {"mimeType": "image/png", "data": "QUJD"}},
                {"fileData": {"mimeType": "image/png", "fileUri": "https://x/y.png?z=1"}},
                {"inlineData": {"mimeType": "audio/mp3", "data": "QUJD"}},
            ],
        },
        {
            "role": "model",
            "parts": [
                {"functionCall": {"name": "f", "args": {"a": 1}}},
                {"functionCall": {"name": "g", "args": {}}},
            ],
        },
        {
            "role": "user",
            "parts": [
                {"functionResponse": {"name": "f", "response": {"x": 1}}},
                {"functionResponse": {"name": "g", "response": {"result": "42"}}},
            ],
        },
    ]


def test_newer_models_get_ids_and_a_signature() -> None:
    """Without a signature on the first call of a step they refuse the conversation."""
    contents = cast("list[Json]", sent(query_of(messages=MESSAGES), candidate(NEW))["contents"])
    assert contents[1]["parts"] == [
        {
            "functionCall": {"name": "f", "args": {"a": 1}, "id": "c1"},
            "thoughtSignature": "skip_thought_signature_validator",
        },
        {"functionCall": {"name": "g", "args": {}, "id": "c2"}},
    ]
    assert contents[2]["parts"] == [
        {"functionResponse": {"name": "f", "response": {"x": 1}, "id": "c1"}},
        {"functionResponse": {"name": "g", "response": {"result": "42"}, "id": "c2"}},
    ]


def tool(*, strict: bool = False) -> Json:
    """A tool with a schema that Gemini's own schema language does not know."""
    schema = {"$schema": "x", "type": "object", "additionalProperties": False}
    function = {"name": "f", "description": "d", "parameters": schema, "strict": strict}
    return {"type": "function", "function": function}


@pytest.mark.parametrize(
    ("choice", "strict", "config"),
    [
        (None, False, None),
        ("auto", False, None),
        (None, True, {"mode": "VALIDATED"}),
        ("none", True, {"mode": "NONE"}),
        ("required", False, {"mode": "ANY"}),
        (
            {"type": "function", "function": {"name": "f"}},
            False,
            {"mode": "ANY", "allowedFunctionNames": ["f"]},
        ),
    ],
)
def test_tools_are_declared(choice: object, strict: bool, config: Json | None) -> None:  # noqa: FBT001 - a row of the table
    """With their whole JSON schema, and which of them to call."""
    body = sent(query_of(tools=[tool(strict=strict)], tool_choice=choice))
    schema = {"type": "object", "additionalProperties": False}
    assert body["tools"] == [
        {
            "functionDeclarations": [
                {"name": "f", "description": "d", "parametersJsonSchema": schema}
            ]
        }
    ]
    assert body.get("toolConfig") == (config and {"functionCallingConfig": config})


def test_settings_are_carried() -> None:
    """All that the API can say."""
    query = query_of(
        max_tokens=5,
        temperature=1.5,
        top_p=0.5,
        stop="END",
        n=2,
        seed=2**40 + 7,
        logprobs=True,
        top_logprobs=3,
    )
    assert generation(query) == {
        "maxOutputTokens": 5,
        "temperature": 1.5,
        "topP": 0.5,
        "stopSequences": ["END"],
        "candidateCount": 2,
        "seed": 7,
        "responseLogprobs": True,
        "logprobs": 3,
    }
    assert DIALECT.unsupported(query) == ()


@pytest.mark.parametrize(
    ("name", "effort", "config"),
    [
        (OLD, "none", {"thinkingBudget": 0}),
        ("gemini-2.5-pro", "none", {"thinkingBudget": 128}),
        (OLD, "medium", {"thinkingBudget": 8192}),
        (OLD, "max", {"thinkingBudget": 24576}),
        ("gemini-3-flash", "minimal", {"thinkingLevel": "minimal"}),
        ("gemini-3-pro", "minimal", {"thinkingLevel": "low"}),
        ("gemini-3-pro", "medium", {"thinkingLevel": "high"}),
        (NEW, "medium", {"thinkingLevel": "medium"}),
        ("gemini-flash-latest", "xhigh", {"thinkingLevel": "high"}),
    ],
)
def test_effort_becomes_thinking(name: str, effort: str, config: Json) -> None:
    """As a budget for older models, as a level for newer ones."""
    query = query_of(reasoning_effort=effort)
    assert generation(query, candidate(name, "reasoning")) == {"thinkingConfig": config}
    assert generation(query, candidate(name)) is None


def test_a_response_format_is_carried() -> None:
    """A JSON schema goes whole; older models do not take it beside tools."""
    schema = {"type": "object", "properties": {"a": {"minimum": 1}}}
    shape = {"type": "json_schema", "json_schema": {"name": "s", "schema": schema}}
    query = query_of(response_format=shape)
    written = {"responseMimeType": "application/json", "responseJsonSchema": schema}
    assert generation(query) == written
    assert generation(query_of(response_format={"type": "json_object"})) == {
        "responseMimeType": "application/json"
    }
    both = query_of(response_format=shape, tools=[tool()])
    assert generation(both) is None
    assert DIALECT.unsupported(both, candidate(OLD)) == ("response_format",)
    assert generation(both, candidate(NEW)) == written


def test_what_cannot_be_said_is_named() -> None:
    """Nothing is lost silently."""
    query = query_of(
        logit_bias={"1": 5},
        frequency_penalty=1,
        tools=[tool(), {"type": "custom", "custom": {"name": "x"}}],
        parallel_tool_calls=False,
        reasoning_effort="low",
    )
    lost = ("frequency_penalty", "logit_bias", "parallel_tool_calls", "tools")
    assert DIALECT.unsupported(query) == lost
    assert "reasoning_effort" in DIALECT.unsupported(query, candidate(OLD))
    assert DIALECT.unsupported(query_of(parallel_tool_calls=True)) == ()


def test_a_key_goes_into_its_own_header() -> None:
    """Never into the address."""
    assert DIALECT.auth("k") == (("x-goog-api-key", "k"),)
    assert DIALECT.auth("") == ()


RESPONSE: Json = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "Let me see.", "thought": True},
                    {"text": "It is 42."},
                    {
                        "functionCall": {"name": "f", "args": {"a": 1}, "id": "fc1"},
                        "thoughtSignature": "sig",
                    },
                    {"functionCall": {"name": "g"}},
                ],
            },
            "finishReason": "STOP",
            "index": 0,
            "logprobsResult": {"chosenCandidates": [{"token": "It", "logProbability": -0.25}]},
        }
    ],
    "usageMetadata": {"promptTokenCount": 9, "candidatesTokenCount": 4, "thoughtsTokenCount": 2},
    "modelVersion": "gemini-2.5-flash",
    "responseId": "r1",
}


def test_a_response_is_read_whole() -> None:
    """Text, thoughts, calls, log-probabilities and usage; an id is made where none is given."""
    reply = DIALECT.reply(msgspec.json.encode(RESPONSE))
    first, second = reply.tool_calls
    assert (first.id, first.name, first.arguments) == ("fc1", "f", '{"a":1}')
    assert (second.name, second.arguments) == ("g", "{}")
    assert second.id.startswith("call_")
    assert reply.choices == (
        Choice(
            text="It is 42.",
            reasoning="Let me see.",
            tool_calls=(first, second),
            finish_reason="tool_calls",
            logprobs=(TokenLogprob(token="It", logprob=-0.25),),
        ),
    )
    assert reply.usage == Usage(prompt_tokens=9, completion_tokens=6, reasoning_tokens=2)
    assert reply.model == "gemini-2.5-flash"
    assert reply.origin is not None
    assert dict(reply.origin.fields)["responseId"] == b'"r1"'


def test_made_up_ids_are_unique_and_repeatable() -> None:
    """Two calls never share one, also over the turns of a conversation."""
    call = {"functionCall": {"name": "f", "args": {}}}
    answer = {"content": {"parts": [call, call]}, "finishReason": "STOP"}
    ids = [
        made.id
        for response in ("r1", "r2", "r1")
        for made in DIALECT.reply(
            msgspec.json.encode({"candidates": [answer], "responseId": response})
        ).tool_calls
    ]
    assert len(set(ids)) == 4
    assert ids[:2] == ids[4:]


def ended(reason: str) -> bytes:
    """A response that ended for this reason."""
    return msgspec.json.encode({"candidates": [{"finishReason": reason}]})


@pytest.mark.parametrize(
    ("reason", "finish"),
    [
        ("STOP", "stop"),
        ("MAX_TOKENS", "length"),
        ("SAFETY", "content_filter"),
        ("RECITATION", "content_filter"),
        ("PROHIBITED_CONTENT", "content_filter"),
        ("OTHER", "stop"),
    ],
)
def test_why_it_stopped(reason: str, finish: str) -> None:
    """Gemini's reasons in our words."""
    assert DIALECT.reply(ended(reason)).choices == (Choice(finish_reason=finish),)  # type: ignore[arg-type]  # a row of the table


@pytest.mark.parametrize(
    ("body", "failure"),
    [
        (ended("MALFORMED_FUNCTION_CALL"), Garbled),
        (ended("MISSING_THOUGHT_SIGNATURE"), Rejected),
        (b'{"candidates": []}', Garbled),
        (b"[]", Garbled),
        (b"", Garbled),
        (
            b'{"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}',
            RateLimited,
        ),
    ],
)
def test_a_response_that_is_none_is_a_failure(body: bytes, failure: type[Failure]) -> None:
    """A model that garbled its own call, a refusal of the API, or nothing to read."""
    with pytest.raises(failure):
        DIALECT.reply(body)


BLOCKED = b'{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":3}}'


def test_a_blocked_prompt_is_a_refusal() -> None:
    """Streamed or not, it is an answer without text that says why, and it was billed."""
    whole = DIALECT.reply(BLOCKED)
    reader = DIALECT.reader()
    deltas = reader.feed(SseParser().feed(b"data: " + BLOCKED + b"\n\n")[0])
    for reply in (whole, folded(list(deltas))):
        assert reply.choices[0].finish_reason == "content_filter"
        assert "SAFETY" in (reply.choices[0].refusal or "")
        assert reply.usage == Usage(prompt_tokens=3)
    assert reader.complete


def event(parts: list[Json], **more: object) -> Json:
    """One event of a stream."""
    candidate_ = {"content": {"parts": parts}, "index": 0} | more
    return RESPONSE | {"candidates": [candidate_], "usageMetadata": {"promptTokenCount": 9}}


def test_a_stream_amounts_to_the_response() -> None:
    """Folded, it is the reply that would have come in one piece."""
    answer = cast("list[Json]", RESPONSE["candidates"])[0]
    parts = cast("list[Json]", cast("Json", answer["content"])["parts"])
    stream = [
        event([parts[0]]),
        event([{"text": "It is "}], logprobsResult=answer["logprobsResult"]),
        event([{"text": "42."}, parts[2]]),
        event([parts[3]]),
        event([{"text": ""}], finishReason="STOP") | {"usageMetadata": RESPONSE["usageMetadata"]},
    ]
    reader, deltas, states = DIALECT.reader(), list[Delta](), list[bool]()
    for one in stream:
        data = b"data: " + msgspec.json.encode(one) + b"\r\n\r\n"
        deltas += [delta for found in SseParser().feed(data) for delta in reader.feed(found)]
        states.append(reader.complete)
    whole = DIALECT.reply(msgspec.json.encode(RESPONSE))
    reply = folded(deltas)
    assert (reply.choices, reply.usage, reply.model) == (whole.choices, whole.usage, whole.model)
    assert states == [False, False, False, False, True]
    assert [msgspec.json.decode(delta.raw or b"") for delta in deltas] == stream


def test_several_candidates_are_told_apart() -> None:
    """Each is an answer of its own; the usage counts once."""
    both = {
        "candidates": [
            {"content": {"parts": [{"text": str(n)}]}, "index": n, "finishReason": "STOP"}
            for n in range(2)
        ],
        "usageMetadata": {"promptTokenCount": 1, "candidatesTokenCount": 2},
    }
    data = msgspec.json.encode(both)
    deltas = DIALECT.reader().feed(SseParser().feed(b"data: " + data + b"\n\n")[0])
    assert [(delta.choice, delta.text) for delta in deltas] == [(0, "0"), (1, "1")]
    assert [delta.usage is not None for delta in deltas] == [True, False]
    assert folded(list(deltas)).choices == DIALECT.reply(data).choices


def test_an_error_event_is_its_failure() -> None:
    """In the middle of a stream too."""
    data = b'data: {"error": {"code": 429, "message": "slow", "status": "RESOURCE_EXHAUSTED"}}\n\n'
    with pytest.raises(RateLimited):
        DIALECT.reader().feed(SseParser().feed(data)[0])
    with pytest.raises(Garbled):
        DIALECT.reader().feed(SseParser().feed(b"data: [1\n\n")[0])
