"""A request in Anthropic's dialect: what it becomes, where it goes, what is wrong with it."""

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
from emafusion.domain.query import ImagePart, OpaquePart, Query, TextPart, ToolCall
from emafusion.wire.anthropic import AnthropicDialect, Around, decode_query
from emafusion.wire.gemini import GeminiDialect
from emafusion.wire.openai import OpenAIDialect

Json = dict[str, Any]
ALL: frozenset[Ability] = frozenset({"tools", "json_schema", "images", "reasoning"})
IMAGE: Json = {
    "type": "image",
    "source": {"type": "base64", "media_type": "image/png", "data": "QUJD"},
}
PDF: Json = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": "QUJD"},
}
USE: Json = {"type": "tool_use", "id": "t1", "name": "f", "input": {"a": 1}}
RESULT: Json = {"type": "tool_result", "tool_use_id": "t1", "content": "42"}


def body_of(**fields: object) -> Json:
    """A request with these fields over the least that one needs."""
    least = {"model": "auto", "max_tokens": 8, "messages": [{"role": "user", "content": "Hi"}]}
    return {**least, **fields}


def query_of(*blocks: Json, headers: dict[str, str] | None = None, **fields: object) -> Query:
    """What a request becomes; `blocks`: those of its one turn of the user."""
    if blocks:
        fields["messages"] = [{"role": "user", "content": list(blocks)}]
    body = json.dumps(body_of(**fields)).encode()
    return decode_query(body, Around(headers=headers or {}), query_id="q1")


def to(name: str, abilities: frozenset[Ability] = ALL) -> Candidate:
    """A candidate that its provider calls by this name."""
    model = Model(name=name, provider="p", abilities=abilities, max_completion_tokens=64_000)
    return Candidate(name=f"our-{name}", model=model, deployment="d", remote_name=name)


def sent(query: Query, name: str = "claude-opus-5-5", *, stream: bool = False) -> Json:
    """The body that Anthropic gets."""
    call = Call(candidate=to(name), query=query)
    made: Json = msgspec.json.decode(AnthropicDialect().request(call, stream=stream).body)
    return made


def sent_to_openai(query: Query) -> Json:
    """The body that a server like OpenAI's gets."""
    call = Call(candidate=to("m"), query=query)
    made: Json = msgspec.json.decode(OpenAIDialect().request(call, stream=False).body)
    return made


def test_a_conversation_becomes_nouns() -> None:
    """System, texts, images, calls and results, each where the other dialects look for them."""
    query = query_of(
        system=[{"type": "text", "text": "Be brief."}],
        messages=[
            {"role": "user", "content": [{"type": "text", "text": "Look"}, IMAGE]},
            {"role": "assistant", "content": [{"type": "text", "text": "I call."}, USE]},
            {"role": "user", "content": [RESULT, {"type": "text", "text": "And?"}]},
        ],
        metadata={"user_id": "u"},
        stop_sequences=["END"],
    )
    system, user, assistant, tool, last = query.messages
    assert (system.role, system.text) == ("system", "Be brief.")
    assert user.parts[1] == ImagePart(url="data:image/png;base64,QUJD")
    assert assistant.tool_calls == (ToolCall(id="t1", name="f", arguments='{"a": 1}'),)
    assert (tool.role, tool.tool_call_id, tool.text) == ("tool", "t1", "42")
    assert (last.role, last.text, query.user) == ("user", "And?", "u")
    assert (query.settings.max_tokens, query.settings.stop) == (8, ("END",))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3)
    ),
    max_leaves=6,
)
MARK = st.sampled_from([{}, {"cache_control": {"type": "ephemeral"}}])
TEXT = st.builds(
    lambda text, mark, more: {"more": more, "type": "text", "text": text, **mark},
    st.text(max_size=9),
    MARK,
    JSON,
)
THOUGHT = st.builds(
    lambda text, signature: {"type": "thinking", "thinking": text, "signature": signature},
    st.text(max_size=9),
    st.text("abc", min_size=1, max_size=5),
)
SAID = st.lists(TEXT | THOUGHT | st.just(USE), min_size=1, max_size=4)
ASKED = st.lists(TEXT | st.just(IMAGE) | st.just(PDF) | st.just(RESULT), min_size=1, max_size=4)


@given(asked=ASKED, said=SAID, unknown=JSON, stream=st.booleans())
def test_anthropic_gets_it_as_it_came(
    asked: Json, said: Json, unknown: Json, *, stream: bool
) -> None:
    """Blocks of every kind, markers, signatures and unknown fields; only the model changes."""
    messages = [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    messages.append({"role": "user", "content": "Go on."})
    body = body_of(messages=messages, unknown=unknown, emafusion={"session": "s"})
    query = decode_query(json.dumps(body).encode(), Around(headers={}), query_id="q1")
    del body["emafusion"]
    expected = {**body, "model": "claude-opus-5-5"} | ({"stream": True} if stream else {})
    assert sent(query, stream=stream) == expected


@pytest.mark.parametrize(
    ("asked", "name", "given"),
    [
        ({"type": "enabled", "budget_tokens": 2000}, "claude-opus-5-5", {"type": "adaptive"}),
        (
            {"type": "adaptive"},
            "claude-haiku-4-5",
            {"type": "enabled", "budget_tokens": 8192},
        ),
        ({"type": "adaptive"}, "claude-opus-5-5", {"type": "adaptive"}),
    ],
)
def test_thinking_is_said_as_the_chosen_model_takes_it(asked: Json, name: str, given: Json) -> None:
    """The choice was ours, so what the generation refuses is said in its own way."""
    query = query_of(thinking=asked, max_tokens=32_000)
    assert sent(query, name)["thinking"] == given


def test_a_named_model_gets_what_was_written() -> None:
    """Who names a model knows it, and its provider will say what is wrong."""
    query = query_of(
        model="claude-opus-5-5", thinking={"type": "enabled", "budget_tokens": 2000}, temperature=1
    )
    assert sent(query)["thinking"] == {"type": "enabled", "budget_tokens": 2000}
    assert AnthropicDialect().unsupported(query, to("claude-opus-5-5")) == ()


def test_what_a_chosen_generation_refuses_is_left_out_and_told() -> None:
    """Sampling for models that take none, an effort for models that do not think."""
    query = query_of(temperature=0.5, top_k=3, thinking={"type": "adaptive"})
    plain = to("claude-3-haiku", frozenset())
    assert {"temperature", "top_k"}.isdisjoint(sent(query))
    assert AnthropicDialect().unsupported(query, to("claude-opus-5-5")) == ("temperature", "top_k")
    assert AnthropicDialect().unsupported(query, plain) == ("reasoning_effort",)


def test_thoughts_of_other_models_do_not_reach_anthropic() -> None:
    """They have no signature, which it would refuse; a turn of nothing else goes with them."""
    foreign = {"type": "thinking", "thinking": "Hm.", "signature": ""}
    text = {"type": "text", "text": "Hello"}
    query = query_of(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [foreign, text]},
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [foreign]},
            {"role": "user", "content": "Go on"},
        ]
    )
    contents = [turn["content"] for turn in sent(query)["messages"]]
    assert contents == ["Hi", [text], "Hi", "Go on"]
    assert AnthropicDialect().unsupported(query, to("claude-opus-5-5")) == ("thinking",)


def test_no_model_is_asked_for_more_than_it_can_write() -> None:
    """Clients name a large limit, whoever will answer; who names a model gets what was written."""
    routed, named = query_of(max_tokens=100_000), query_of(model="m", max_tokens=100_000)
    assert sent(routed)["max_tokens"] == 64_000
    assert sent_to_openai(routed)["max_tokens"] == 64_000
    assert sent(named, "m")["max_tokens"] == 100_000


def test_headers_go_along() -> None:
    """The version and the betas that the client named, else the version that we know."""
    named = {"anthropic-version": "2024-01-01", "anthropic-beta": "a,b", "x-api-key": "secret"}
    call = Call(candidate=to("c"), query=query_of(headers=named))
    plain = Call(candidate=to("c"), query=query_of())
    headers = dict(AnthropicDialect().request(call, stream=False).headers)
    assert (headers["anthropic-version"], headers["anthropic-beta"]) == ("2024-01-01", "a,b")
    assert "secret" not in str(headers)
    headers = dict(AnthropicDialect().request(plain, stream=False).headers)
    assert headers["anthropic-version"] == "2023-06-01"


def test_under_whose_name_anthropic_is_asked_is_not_for_clients() -> None:
    """The workspace and the profile that are billed belong to the account; the client is told."""
    given = {"anthropic-workspace-id": "w", "anthropic-user-profile-id": "u"}
    call = Call(candidate=to("claude-haiku-4-5"), query=query_of(headers=given))
    headers = dict(AnthropicDialect().request(call, stream=False).headers)
    assert headers.keys().isdisjoint(given)
    lost = AnthropicDialect().unsupported(call.query, call.candidate)
    assert lost == ("user_profile_id", "workspace_id")


def test_openai_gets_it_translated() -> None:
    """What tools showed stands in a turn of the user, a PDF is a file, effort is an effort."""
    result = {**RESULT, "content": [{"type": "text", "text": "See"}, IMAGE]}
    query = query_of(
        messages=[
            {"role": "user", "content": [PDF]},
            {"role": "assistant", "content": [USE]},
            {"role": "user", "content": [result]},
        ],
        thinking={"type": "enabled", "budget_tokens": 5000},
        output_config={"format": {"type": "json_schema", "schema": {"type": "object"}}},
        metadata={"user_id": "u" * 65},
    )
    body = sent_to_openai(query)
    file, _, tool, shown = body["messages"]
    assert file["content"][0]["file"]["file_data"] == "data:application/pdf;base64,QUJD"
    assert tool == {"role": "tool", "content": "See", "tool_call_id": "t1"}
    assert shown["content"][0]["image_url"]["url"] == "data:image/png;base64,QUJD"
    assert body["reasoning_effort"] == "medium"
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert "user" not in body
    assert OpenAIDialect().unsupported(query, to("m")) == ("user",)


LOST: list[tuple[Json, str]] = [
    ({"top_k": 3}, "top_k"),
    ({"cache_control": {"type": "ephemeral"}}, "cache_control"),
    ({"system": [{"type": "text", "text": "x", "cache_control": {}}]}, "cache_control"),
    ({"container": "c"}, "container"),
    ({"mcp_servers": [{}]}, "mcp_servers"),
    ({"from_the_future": 1}, "from_the_future"),
    ({"service_tier": "standard_only"}, "service_tier"),
    ({"tools": [{"type": "web_search_20260318", "name": "web_search"}]}, "tools"),
    ({"tools": [{"name": "f", "input_schema": {}, "defer_loading": True}]}, "defer_loading"),
    ({"tools": [{"name": "f", "input_schema": {}, "input_examples": [{}]}]}, "input_examples"),
]
BLOCKS: list[tuple[Json, str]] = [
    ({"type": "text", "text": "x", "cache_control": {"type": "ephemeral"}}, "cache_control"),
    ({"type": "text", "text": "x", "from_the_future": 1}, "from_the_future"),
    ({**PDF, "citations": {"enabled": True}}, "citations"),
    ({**RESULT, "is_error": True}, "is_error"),
    ({"type": "container_upload", "file_id": "f"}, "messages[0].content"),
    ({"type": "image", "source": {"type": "file", "file_id": "f"}}, "messages[0].content"),
]


@pytest.mark.parametrize(("fields", "name"), LOST)
def test_what_only_anthropic_takes_is_named(fields: Json, name: str) -> None:
    """For every other dialect, by the name under which the client is told."""
    query = query_of(**fields)
    for dialect in (OpenAIDialect(), GeminiDialect()):
        assert dialect.unsupported(query, to("m")) == (name,)
    assert AnthropicDialect().unsupported(query, to("claude-haiku-4-5")) == ()


@pytest.mark.parametrize(("block", "name"), BLOCKS)
def test_blocks_that_only_anthropic_takes_are_named(block: Json, name: str) -> None:
    """Or what of them is lost, where the rest can be said."""
    query = query_of(block, {"type": "text", "text": "And?"})
    assert OpenAIDialect().unsupported(query, to("m")) == (name,)
    (lost,) = GeminiDialect().unsupported(query, to("m"))
    assert lost.startswith(name)


def test_defaults_ask_for_nothing() -> None:
    """What says what would be done anyway is not lost."""
    query = query_of(
        service_tier="auto", speed="standard", container=None, tools=[], metadata={"user_id": "u"}
    )
    assert OpenAIDialect().unsupported(query, to("m")) == ()


def test_thoughts_are_kept_for_their_own_api_alone() -> None:
    """And others are told that they were there."""
    thought = {"type": "redacted_thinking", "data": "ZGF0YQ=="}
    query = query_of(
        messages=[
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": [thought, {"type": "text", "text": "Hello"}]},
            {"role": "user", "content": "Go on"},
        ]
    )
    assert isinstance(query.messages[1].parts[0], OpaquePart)
    assert OpenAIDialect().unsupported(query, to("m")) == ("thinking",)
    assert sent_to_openai(query)["messages"][1]["content"][0] == {"type": "text", "text": "Hello"}


def test_texts_in_documents_and_search_results_are_texts() -> None:
    """So that every API can be asked about them."""
    source = {"type": "text", "media_type": "text/plain", "data": "Inside."}
    query = query_of(
        {"type": "document", "source": source, "title": "Report"},
        {"type": "search_result", "source": "s", "title": "Found", "content": [
            {"type": "text", "text": "There."}]},
    )  # fmt: skip
    assert query.messages[0].parts == tuple(
        TextPart(text=text) for text in ("Report", "Inside.", "Found", "There.")
    )


def test_an_answer_that_was_begun_goes_to_anthropic_alone() -> None:
    """Other APIs would answer it instead of going on with it."""
    query = query_of(
        messages=[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "The"}]
    )
    assert OpenAIDialect().unsupported(query, to("m")) == ("prefill",)
    assert AnthropicDialect().unsupported(query, to("claude-haiku-4-5")) == ()


def turn(**fields: object) -> Json:
    """Fields with one turn of the user."""
    return {"messages": [{"role": "user", "content": "Hi", **fields}]}


def block(**fields: object) -> Json:
    """Fields with one block of the user."""
    return turn(content=[fields])


TOOL: Json = {"name": "f", "input_schema": {"type": "object"}}
WRONG: list[tuple[Json, str]] = [
    ({"model": None}, "model"),
    ({"model": ""}, "model"),
    ({"model": 3}, "model"),
    ({"max_tokens": None}, "max_tokens"),
    ({"max_tokens": -1}, "max_tokens"),
    ({"max_tokens": 1.5}, "max_tokens"),
    ({"max_tokens": "9"}, "max_tokens"),
    ({"messages": None}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": "Hi"}, "messages"),
    ({"messages": ["Hi"]}, "messages"),
    (turn(role="tool"), "messages[0].role"),
    (turn(role=None), "messages[0].role"),
    (turn(content=None), "messages[0].content"),
    (turn(content=""), "messages[0].content"),
    (turn(content=[]), "messages[0].content"),
    (turn(content=3), "messages[0].content"),
    (turn(content=["Hi"]), "messages[0].content[0]"),
    (block(text="x"), "messages[0].content[0].type"),
    (block(type="text"), "messages[0].content[0].text"),
    (block(type="text", text=3), "messages[0].content[0].text"),
    (block(type="image"), "messages[0].content[0].source"),
    (block(type="image", source={}), "messages[0].content[0].source.type"),
    (block(type="image", source={"type": "base64"}), "messages[0].content[0].source.data"),
    (
        block(type="image", source={"type": "base64", "data": "", "media_type": "text/html"}),
        "messages[0].content[0].source.media_type",
    ),
    (
        block(type="image", source={"type": "url", "url": "file:///etc/passwd"}),
        "messages[0].content[0].source.url",
    ),
    (block(type="document"), "messages[0].content[0].source"),
    (block(type="tool_result"), "messages[0].content[0].tool_use_id"),
    (block(type="tool_result", tool_use_id=3), "messages[0].content[0].tool_use_id"),
    (
        block(type="tool_result", tool_use_id="t", content=3),
        "messages[0].content[0].content",
    ),
    (
        block(type="tool_result", tool_use_id="t", content=[3]),
        "messages[0].content[0].content[0]",
    ),
    (block(**USE), "messages[0].content[0]"),
    (
        {"messages": [{"role": "assistant", "content": [{**USE, "input": "x"}]}]},
        "messages[0].content[0].input",
    ),
    ({"messages": [{"role": "assistant", "content": [RESULT]}]}, "messages[0].content[0]"),
    (
        {"messages": [{"role": "assistant", "content": [{"type": "thinking"}]}]},
        "messages[0].content[0].thinking",
    ),
    ({"system": 3}, "system"),
    ({"system": [{"type": "text"}]}, "system[0].text"),
    ({"system": [IMAGE]}, "system"),
    ({"temperature": 1.1}, "temperature"),
    ({"temperature": "hot"}, "temperature"),
    ({"top_p": -0.1}, "top_p"),
    ({"top_k": -1}, "top_k"),
    ({"stop_sequences": "END"}, "stop_sequences"),
    ({"stop_sequences": [""]}, "stop_sequences"),
    ({"stream": "yes"}, "stream"),
    ({"metadata": "m"}, "metadata"),
    ({"metadata": {"user_id": 3}}, "metadata.user_id"),
    ({"tools": {}}, "tools"),
    ({"tools": ["f"]}, "tools[0]"),
    ({"tools": [{"input_schema": {}}]}, "tools[0].name"),
    ({"tools": [{"name": "a b", "input_schema": {}}]}, "tools[0].name"),
    ({"tools": [{"name": "f"}]}, "tools[0].input_schema"),
    ({"tools": [{"name": "f", "input_schema": []}]}, "tools[0].input_schema"),
    ({"tool_choice": {"type": "auto"}}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": "auto"}, "tool_choice"),
    ({"tools": [TOOL], "tool_choice": {"type": "all"}}, "tool_choice.type"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice.name"),
    ({"tools": [TOOL], "tool_choice": {"type": "tool", "name": "g"}}, "tool_choice.name"),
    ({"thinking": {"type": "enabled"}}, "thinking.budget_tokens"),
    ({"thinking": {"type": "enabled", "budget_tokens": 9}}, "thinking.budget_tokens"),
    ({"thinking": True}, "thinking"),
    ({"output_config": {"effort": "huge"}}, "output_config.effort"),
    ({"output_config": {"format": {"type": "xml"}}}, "output_config.format.type"),
    (
        {"output_config": {"format": {"type": "json_schema", "schema": 3}}},
        "output_config.format.schema",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "where"), WRONG)
def test_what_cannot_be_right_is_named(fields: Json, where: str) -> None:
    """By the field that is wrong."""
    with pytest.raises(BadInput) as wrong:
        query_of(**fields)
    assert (wrong.value.where or "").startswith(where)


@pytest.mark.parametrize("name", ["model", "max_tokens", "messages"])
def test_what_is_missing_is_named(name: str) -> None:
    """Three fields must be there."""
    body = body_of()
    del body[name]
    with pytest.raises(BadInput, match=f"{name}: is required"):
        decode_query(json.dumps(body).encode(), Around(headers={}), query_id="q1")


@pytest.mark.parametrize("name", ["anthropic-version", "anthropic-beta"])
def test_headers_hold_names_only(name: str) -> None:
    """What goes along to an upstream is no place for anything else."""
    with pytest.raises(BadInput, match=name):
        query_of(headers={name: "a\x00b"})
