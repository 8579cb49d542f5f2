"""Whatever is sent, the gateway answers; whatever it does not know, it passes on as it came."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec import Raw
from msgspec import json as exact
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway
from tests.gateway.talking import QUESTION, send

OFTEN = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
PATH = "/v1/chat/completions"
FIELDS = (
    "messages",
    "model",
    "tools",
    "tool_choice",
    "response_format",
    "stream",
    "stream_options",
    "n",
    "stop",
    "logit_bias",
    "max_tokens",
    "temperature",
    "emafusion",
    "metadata",
    "audio",
    "modalities",
    "functions",
    "reasoning_effort",
    "web_search_options",
)
ROLES = ["system", "user", "assistant", "tool", "function", "nobody", None]

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
turns = st.fixed_dictionaries(
    {},
    optional={
        "role": st.sampled_from(ROLES),
        "content": values,
        "tool_calls": values,
        "tool_call_id": values,
        "name": values,
    },
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(FIELDS, values),
        "model": st.sampled_from(["auto", "dear", "nobody", "", "emafusion/eco"]) | values,
        "messages": st.just(QUESTION) | st.lists(turns, max_size=3) | values,
    },
)
names = st.text("abcdefghijklmnopqrstuvwxyz-", min_size=1, max_size=20).map("x-emafusion-{}".format)
known = st.sampled_from(
    ["x-emafusion-quality-weight", "x-emafusion-models", "x-session-id", "authorization", "accept"]
)
texts = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=30)

NUMBERS = ["1e400", "-0.0", "12345678901234567890123456789", "1.10", "1E5", "0.1e-7"]
WORDS = ['"\\u00e9\\/\\u2028"', '"\u00e9"', '"\\ud83d\\ude00"', '""', "null", "true"]
raw_leaf = st.sampled_from(NUMBERS + WORDS)
raw_values = st.recursive(
    raw_leaf,
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda all_: "[" + ", ".join(all_) + "]")
        | st.lists(inner, max_size=3).map(
            lambda all_: "{" + ",".join(f'"k{9 - i}" : {one}' for i, one in enumerate(all_)) + " }"
        )
    ),
    max_leaves=6,
)


@OFTEN
@given(body=bodies, headers=st.dictionaries(names | known, texts, max_size=2))
def test_any_json_is_answered_in_shape(
    gateway: Gateway, body: dict[str, Any], headers: dict[str, str]
) -> None:
    """A body of the right kind with any values: an answer or a 4xx in shape, never a 5xx."""
    sent = {
        name: value.strip().encode("latin-1").decode("latin-1") for name, value in headers.items()
    }
    told = send(gateway, "POST", PATH, json.dumps(body).encode(), sent)
    assert told.status < 500, told.raw
    if told.status != 200:
        assert told.error["message"].isprintable()


@OFTEN
@given(body=st.binary(max_size=200) | values.map(lambda value: json.dumps(value).encode()))
def test_any_bytes_are_a_4xx_in_shape(gateway: Gateway, body: bytes) -> None:
    """Bytes of any kind get a 400 that says what is wrong."""
    told = send(gateway, "POST", PATH, body)
    assert told.status == 400
    assert told.error["message"]


@OFTEN
@given(value=raw_values)
def test_unknown_field_arrives_as_it_was_sent(
    gateway: Gateway, provider: Provider, value: str
) -> None:
    """An unknown field's JSON reaches the provider byte for byte, huge numbers and spaces too."""
    body = (
        f'{{"model": "dear", "zeta": {value}, "messages": {json.dumps(QUESTION)}, "alpha":{value}}}'
    )
    told = send(gateway, "POST", PATH, body.encode())
    assert told.status == 200, told.raw
    arrived = exact.decode(provider.raw[-1], type=dict[str, Raw])
    assert bytes(arrived["zeta"]) == value.encode()
    assert bytes(arrived["alpha"]) == value.encode()
    assert bytes(arrived["messages"]) == json.dumps(QUESTION).encode()
    unknown = [name for name in arrived if name in {"zeta", "messages", "alpha"}]
    assert unknown == ["zeta", "messages", "alpha"]
