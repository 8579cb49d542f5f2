"""A request in Google's dialect: what it becomes, where it goes, what is wrong with it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput
from emafusion.domain.model import Ability, Candidate, Model
from emafusion.domain.query import ImagePart, Query, ToolCall
from emafusion.wire.anthropic import AnthropicDialect
from emafusion.wire.gemini import Asked, GeminiDialect, decode_query, shows_thoughts
from emafusion.wire.openai import OpenAIDialect

Json = dict[str, Any]
ALL: frozenset[Ability] = frozenset({"tools", "json_schema", "images", "reasoning", "logprobs"})
CALL: Json = {"functionCall": {"name": "f", "args": {"a": 1}}, "thoughtSignature": "c2ln"}
RESULT: Json = {"functionResponse": {"name": "f", "response": {"result": "42"}}}
TOOL: Json = {
    "name": "f",
    "parameters": {"type": "OBJECT", "properties": {"a": {"type": "STRING"}}},
}
IMAGE: Json = {"inlineData": {"mimeType": "image/png", "data": "QUJD"}}
PDF: Json = {"inlineData": {"mimeType": "application/pdf", "data": "QUJD"}}


def query_of(*parts: Json, model: str = "auto", counts: bool = False, **fields: object) -> Query:
    """What a request becomes; `parts`: those of its one turn."""
    least = {"contents": [{"role": "user", "parts": list(parts) or [{"text": "Hi"}]}]}
    body = json.dumps({**least, **fields}).encode()
    return decode_query(body, Asked(model=model, counts=counts), query_id="q1")


def generation(**fields: object) -> Json:
    """Fields that say how to generate."""
    return {"generationConfig": fields}


def to(name: str, abilities: frozenset[Ability] = ALL) -> Candidate:
    """A candidate that its provider calls by this name."""
    model = Model(name=name, provider="p", abilities=abilities)
    return Candidate(name=f"our-{name}", model=model, deployment="d", remote_name=name)


def sent(query: Query, name: str = "gemini-3-pro") -> Json:
    """The body that Google gets."""
    call = Call(candidate=to(name), query=query)
    made: Json = msgspec.json.decode(GeminiDialect().request(call, stream=False).body)
    return made


def sent_to_openai(query: Query) -> Json:
    """The body that a server like OpenAI's gets."""
    call = Call(candidate=to("m"), query=query)
    made: Json = msgspec.json.decode(OpenAIDialect().request(call, stream=False).body)
    return made


def test_a_conversation_becomes_nouns() -> None:
    """System, texts, images, calls and results; calls without an id find their results."""
    query = query_of(
        contents=[
            {"parts": [{"text": "Look"}, IMAGE]},
            {"role": "model", "parts": [{"text": "I call."}, CALL, CALL]},
            {"role": "user", "parts": [RESULT, RESULT]},
        ],
        system_instruction={"parts": [{"text": "Be brief."}]},
        **generation(max_output_tokens=8, topP=0.5, stopSequences=["END"], candidateCount=2),
    )
    system, user, model, first, second = query.messages
    assert (system.role, system.text) == ("system", "Be brief.")
    assert user.parts[1] == ImagePart(url="data:image/png;base64,QUJD")
    assert model.tool_calls == (
        ToolCall(id="call_1", name="f", arguments='{"a": 1}'),
        ToolCall(id="call_2", name="f", arguments='{"a": 1}'),
    )
    assert (first.tool_call_id, first.text) == ("call_1", "42")
    assert (second.tool_call_id, second.role) == ("call_2", "tool")
    assert (query.settings.max_tokens, query.settings.top_p, query.settings.n) == (8, 0.5, 2)
    assert query.settings.stop == ("END",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text("abc", max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
PART = st.sampled_from([IMAGE, PDF, CALL, RESULT]) | st.builds(
    lambda text, more: {"text": text, "more": more}, st.text(max_size=9), JSON
)


@given(parts=st.lists(PART, min_size=1, max_size=4), unknown=JSON)
def test_google_gets_it_as_it_came(parts: list[Json], unknown: Json) -> None:
    """Parts of every kind, signatures and unknown fields."""
    asked = {"contents": [{"role": "user", "parts": parts}], "unknown": unknown}
    query = decode_query(
        json.dumps({**asked, "emafusion": {}}).encode(), Asked(model="auto"), query_id="q1"
    )
    assert sent(query) == asked


def test_openai_gets_it_translated() -> None:
    """Schemas in the one language, tools, choice, the shape of the answer, documents."""
    query = query_of(
        PDF,
        tools=[{"functionDeclarations": [TOOL]}],
        toolConfig={"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["f"]}},
        **generation(
            responseMimeType="application/json",
            responseSchema={"type": "STRING", "nullable": True, "propertyOrdering": ["a"]},
            thinkingConfig={"thinkingLevel": "LOW"},
        ),
    )
    body = sent_to_openai(query)
    assert body["tools"][0]["function"]["parameters"] == {
        "type": "object",
        "properties": {"a": {"type": "string"}},
    }
    assert body["tool_choice"] == {"type": "function", "function": {"name": "f"}}
    schema = body["response_format"]["json_schema"]["schema"]
    assert schema == {"type": ["string", "null"]}
    assert body["reasoning_effort"] == "low"
    file = body["messages"][0]["content"][0]["file"]
    assert file == {"filename": "document.pdf", "file_data": "data:application/pdf;base64,QUJD"}
    assert OpenAIDialect().unsupported(query, to("m")) == ()


LOST: list[tuple[Json, str]] = [
    (generation(topK=3), "top_k"),
    (generation(presencePenalty=1), "presence_penalty"),
    (generation(responseModalities=["AUDIO"]), "modalities"),
    (generation(fromTheFuture=1), "fromTheFuture"),
    ({"safetySettings": [{"category": "x"}]}, "safety_settings"),
    ({"cachedContent": "cachedContents/x"}, "cachedContent"),
    ({"labels": {"a": "b"}}, "metadata"),
    ({"tools": [{"googleSearch": {}}]}, "tools"),
    ({"tools": [{"functionDeclarations": [{**TOOL, "response": {}}]}]}, "response_schema"),
    ({"fromTheFuture": 1}, "fromTheFuture"),
]


@pytest.mark.parametrize(("fields", "name"), LOST)
def test_what_only_google_takes_is_named(fields: Json, name: str) -> None:
    """For every other dialect, by the name under which the client is told."""
    query = query_of(**fields)
    assert OpenAIDialect().unsupported(query, to("m")) == (name,)
    assert AnthropicDialect().unsupported(query, to("m")) == (name,)
    assert GeminiDialect().unsupported(query, to("gemini-3-pro")) == ()


@pytest.mark.parametrize(
    ("part", "name"),
    [
        ({"text": "x", "thoughtSignature": "c2ln"}, "thinking"),
        ({"text": "x", "videoMetadata": {}}, "videoMetadata"),
        ({"executableCode": {"code": "1"}}, "messages[0].content"),
        ({"fileData": {"mimeType": "video/mp4", "fileUri": "gs://x"}}, "messages[0].content"),
    ],
)
def test_parts_that_only_google_takes_are_named(part: Json, name: str) -> None:
    """Or what of them is lost, where the rest can be said."""
    query = query_of(part, {"text": "And?"})
    assert name in OpenAIDialect().unsupported(query, to("m"))


def test_how_much_to_think_is_said_as_the_chosen_model_takes_it() -> None:
    """A level is a budget for the generation before; a named model gets what was written."""
    asked = generation(thinkingConfig={"thinkingLevel": "low", "includeThoughts": True})
    query = query_of(**asked)
    assert sent(query)["generationConfig"] == asked["generationConfig"]
    older = sent(query, "gemini-2.5-flash")["generationConfig"]["thinkingConfig"]
    assert older == {"thinkingBudget": 1024, "includeThoughts": True}
    named = query_of(model="gemini-2.5-flash", **asked)
    assert sent(named, "gemini-2.5-flash")["generationConfig"] == asked["generationConfig"]
    plain = to("gemini-2.0-flash", frozenset())
    assert GeminiDialect().unsupported(query, plain) == ("reasoning_effort",)
    assert shows_thoughts(query)
    assert not shows_thoughts(query_of())


def test_a_count_is_asked_for_in_a_request_of_its_own() -> None:
    """With all that is in the prompt; no other API knows how."""
    inner = {"contents": [{"parts": [{"text": "Hi"}]}], "model": "models/x"}
    query = query_of(counts=True, contents=None, generateContentRequest=inner)
    call = Call(candidate=to("gemini-3-pro"), query=query)
    wire = GeminiDialect().request(call, stream=False)
    assert wire.path == "/models/gemini-3-pro:countTokens"
    assert msgspec.json.decode(wire.body) == {
        "generateContentRequest": {**inner, "model": "models/gemini-3-pro"}
    }
    assert OpenAIDialect().unsupported(query, to("m")) == ("count_tokens",)
    usage = GeminiDialect().reply(b'{"totalTokens": 7}').usage
    assert usage is not None
    assert usage.prompt_tokens == 7


WRONG: list[tuple[Json, str]] = [
    ({"contents": None}, "contents"),
    ({"contents": []}, "contents"),
    ({"contents": "Hi"}, "contents"),
    ({"contents": ["Hi"]}, "contents[0]"),
    ({"contents": [{"role": "tool", "parts": [{"text": "x"}]}]}, "contents[0].role"),
    ({"contents": [{"role": "user"}]}, "contents[0].parts"),
    ({"contents": [{"parts": []}]}, "contents[0].parts"),
    ({"contents": [{"parts": "Hi"}]}, "contents[0].parts"),
    ({"contents": [{"parts": ["Hi"]}]}, "contents[0].parts[0]"),
    ({"contents": [{"parts": [{}]}]}, "contents[0].parts[0]"),
    ({"contents": [{"parts": [{"text": 3}]}]}, "contents[0].parts[0].text"),
    ({"contents": [{"parts": [{"inlineData": {"data": ""}}]}]}, "contents[0].parts[0].inlineData"),
    ({"contents": [{"parts": [{"inlineData": "x"}]}]}, "contents[0].parts[0].inlineData"),
    ({"contents": [{"parts": [{"fileData": {}}]}]}, "contents[0].parts[0].fileData.fileUri"),
    ({"contents": [{"parts": [{"functionCall": {}}]}]}, "contents[0].parts[0].functionCall.name"),
    (
        {"contents": [{"parts": [{"functionCall": {"name": "f", "args": 3}}]}]},
        "contents[0].parts[0].functionCall.args",
    ),
    (
        {"contents": [{"parts": [{"functionResponse": {"name": "f", "response": "x"}}]}]},
        "contents[0].parts[0].functionResponse.response",
    ),
    ({"systemInstruction": "Be brief."}, "systemInstruction"),
    ({"systemInstruction": {"parts": [IMAGE]}}, "systemInstruction"),
    ({"system_instruction": {}, "systemInstruction": {}}, "systemInstruction"),
    ({"tools": {}}, "tools"),
    ({"tools": ["f"]}, "tools[0]"),
    ({"tools": [{"functionDeclarations": {}}]}, "tools[0].functionDeclarations"),
    ({"tools": [{"functionDeclarations": [{}]}]}, "tools[0].functionDeclarations[0].name"),
    (
        {"tools": [{"functionDeclarations": [{"name": "f", "parameters": 3}]}]},
        "tools[0].functionDeclarations[0].parameters",
    ),
    ({"toolConfig": {"functionCallingConfig": {"mode": "SOME"}}}, "toolConfig"),
    ({"toolConfig": {"functionCallingConfig": {"mode": "ANY"}}}, "toolConfig"),
    (
        {"toolConfig": {"functionCallingConfig": {"mode": "ANY", "allowedFunctionNames": ["g"]}}},
        "toolConfig",
    ),
    (generation(temperature=3), "generationConfig.temperature"),
    (generation(topP=2), "generationConfig.topP"),
    (generation(maxOutputTokens=0), "generationConfig.maxOutputTokens"),
    (generation(stopSequences="END"), "generationConfig.stopSequences"),
    (generation(candidateCount=0), "generationConfig.candidateCount"),
    (generation(seed=1.5), "generationConfig.seed"),
    (generation(responseMimeType="text/html"), "generationConfig.responseMimeType"),
    (
        generation(responseMimeType="application/json", responseSchema=3),
        "generationConfig.responseSchema",
    ),
    (generation(thinkingConfig=3), "generationConfig.thinkingConfig"),
    ({"generationConfig": []}, "generationConfig"),
]


@pytest.mark.parametrize(("fields", "where"), WRONG)
def test_what_cannot_be_right_is_named(fields: Json, where: str) -> None:
    """By the field that is wrong."""
    with pytest.raises(BadInput) as wrong:
        query_of(**fields)
    assert (wrong.value.where or "").startswith(where)
