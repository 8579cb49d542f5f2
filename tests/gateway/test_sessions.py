"""Which conversation a request belongs to, over every API, and what stays with whom in it."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import Body, Said, chat, rows, send

from emafusion.domain.query import Message, Query, TextPart, Tool, ask
from emafusion.domain.session import is_derived, session_of
from emafusion.gateway.turns import Turns
from emafusion.testing import candidate

CITY = "What is the capital of Norway?"
SCHEMA: Body = {"type": "object", "properties": {"city": {"type": "string"}}}
POOL = (candidate("cheap"), candidate("dear"))


def user(text: str) -> Body:
    """A turn of the user, as most APIs write it."""
    return {"role": "user", "content": text}


def parts(role: str, text: str) -> Body:
    """A turn as Google writes it."""
    return {"role": role, "parts": [{"text": text}]}


def post(gateway: Gateway, path: str, body: Body) -> Said:
    """Send it; it must be answered."""
    said = send(gateway, "POST", path, json.dumps(body).encode())
    assert said.status == 200, said.raw
    return said


TWO_TURNS: dict[str, tuple[str, Body, Body]] = {
    "/v1/chat/completions": (
        "messages",
        {"model": "auto", "messages": [user(CITY)]},
        user("And of Sweden?"),
    ),
    "/v1/messages": (
        "messages",
        {"model": "auto", "max_tokens": 50, "system": "Be brief.", "messages": [user(CITY)]},
        user("And of Sweden?"),
    ),
    "/v1/responses": (
        "input",
        {"model": "auto", "instructions": "Be brief.", "input": [user(CITY)]},
        user("And of Sweden?"),
    ),
    "/v1beta/models/auto:generateContent": (
        "contents",
        {"contents": [parts("user", CITY)]},
        parts("user", "And of Sweden?"),
    ),
}


@pytest.mark.parametrize("path", TWO_TURNS)
def test_a_second_turn_belongs_to_the_session_of_the_first(gateway: Gateway, path: str) -> None:
    """No client need name it; another conversation is another session."""
    turns, first, more = TWO_TURNS[path]
    said = parts("model", "Oslo") if turns == "contents" else {**user("Oslo"), "role": "assistant"}
    post(gateway, path, first)
    post(gateway, path, {**first, turns: [*first[turns], said, more]})
    post(gateway, path, {**first, turns: [more]})
    one, same, other = rows(gateway, "select session from outcomes order by id")
    assert one == same != other
    assert is_derived(one)


def test_a_response_that_goes_on_from_another_is_of_its_session(gateway: Gateway) -> None:
    """Though the client sends nothing but the new turn."""
    asked: Body = {"model": "auto", "input": CITY}
    first = post(gateway, "/v1/responses", asked).body["id"]
    more = {**asked, "input": "And of Sweden?", "previous_response_id": first}
    second = post(gateway, "/v1/responses", more).body["id"]
    post(gateway, "/v1/responses", {**more, "previous_response_id": second})
    assert len(set(rows(gateway, "select session from outcomes"))) == 1


def test_a_session_that_is_named_is_told_as_it_was_named(gateway: Gateway) -> None:
    """So that one can tell it from one that was made up."""
    chat(gateway, {"x-model-affinity": "talk-7"})
    (given_,) = rows(gateway, "select session from outcomes")
    assert (given_, is_derived(given_)) == ("talk-7", False)


def called(call_id: str, *, about: str) -> list[Body]:
    """A conversation that comes back with what a tool said."""
    function = {"name": "look", "arguments": "{}"}
    call = {"id": call_id, "type": "function", "function": function}
    return [
        user(about),
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call_id, "content": "Oslo"},
    ]


def test_models_that_number_their_calls_alike_are_told_apart(
    gateway: Gateway, provider: Provider
) -> None:
    """Two loops at once, whose calls have one name: each goes on with its own model."""
    tool = {"type": "function", "function": {"name": "look", "parameters": SCHEMA}}
    call = called("call_1", about="")[1]
    choice = {"index": 0, "message": call, "finish_reason": "tool_calls"}
    whole = {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [choice],
    }
    provider.canned = {"/chat/completions": ("application/json", json.dumps(whole).encode())}
    for name in ("cheap", "dear"):
        said = chat(gateway, model=name, messages=[user(f"Ask {name}.")], tools=[tool])
        (made,) = said.body["choices"][0]["message"]["tool_calls"]
        assert made["id"] == "call_1"
    provider.canned = {}
    for name in ("cheap", "dear"):
        back = called("call_1", about=f"Ask {name}.")
        assert chat(gateway, messages=back, tools=[tool]).headers["x-emafusion-model"] == name


def test_a_loop_whose_conversation_changed_its_name_is_still_known_by_its_calls() -> None:
    """An agent may rewrite its instructions half-way."""
    turns = Turns()
    turns.remember("call-9", "dear", "one")
    back = replace(ask("?"), messages=(Message(role="tool", tool_call_id="call-9"),))
    assert [c.name for c in turns.keep(back, "another", POOL)] == ["dear"]
    assert turns.keep(ask("?"), "one", POOL) == POOL


texts = st.text(max_size=20)
words = texts | st.just("\ud800")


def said_by(role: str, text: str) -> Message:
    """One turn."""
    return Message(role=role, parts=(TextPart(text=text),))  # type: ignore[arg-type]  # a role


@given(system=words, first=words, later=st.lists(words, max_size=3), tool=texts)
def test_a_session_is_of_the_beginning_alone(
    system: str, first: str, later: list[str], tool: str
) -> None:
    """Whatever comes after the first words of the user; and of all of the beginning."""
    begun = (said_by("system", system), said_by("user", first))
    query = Query(query_id="a", messages=begun, tools=(Tool(name=tool),))
    grown = replace(
        query, query_id="b", messages=(*begun, *(said_by("user", each) for each in later))
    )
    assert session_of(grown) == session_of(query)
    others = (
        replace(query, messages=(said_by("system", f"{system}."), begun[1])),
        replace(query, messages=(begun[0], said_by("user", f"{first}."))),
        replace(query, tools=(Tool(name=f"{tool}."),)),
        replace(query, tools=()),
    )
    assert len({session_of(each) for each in (query, *others)}) == 5
