"""Whatever comes to the APIs beside chat: an error in the API's shape, at once, nobody asked."""

from __future__ import annotations

import json
import time
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import send

EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
"""
RIGHT: dict[str, dict[str, object]] = {
    "/v1/responses": {"model": "auto", "input": "?"},
    "/v1/completions": {"model": "auto", "prompt": "?"},
    "/v1/embeddings": {"model": "small", "input": "?"},
    "/v1/batches": {
        "input_file_id": "f",
        "endpoint": "/v1/responses",
        "completion_window": "24h",
    },
}
DEEP = b"[" * 50_000 + b"]" * 50_000


def malformed(right: dict[str, object]) -> dict[str, bytes]:
    """Bodies that are none, by what is wrong with them."""
    whole = json.dumps(right).encode()
    name = next(iter(right))
    others = {"nothing": b"", "blanks": b" \r\n\t", "null": b"null", "a number": b"7"}
    others |= {"a text": b'"?"', "a list": b"[]", "an object": b"{}", "true": b"true"}
    others |= {"cut off": whole[:-1], "more": whole + b"}", "two": whole + whole}
    others |= {"a comma": whole[:-1] + b",}", "a bom": b"\xef\xbb\xbf" + whole}
    others |= {"utf-16": whole.decode().encode("utf-16"), "latin-1": b'{"model": "\xe9"}'}
    others |= {"nul": whole.replace(b'"', b'"\x00', 1), "single quotes": whole.replace(b'"', b"'")}
    others |= {"a form": b"model=auto&input=x", "xml": b"<model>auto</model>", "deep": DEEP}
    others |= {"deep inside": b'{"model": "auto", "input": %b}' % DEEP, "binary": bytes(range(256))}
    others |= {
        "twice": whole[:-1] + b', "%b": "x"}' % name.encode(),
        "infinity": b'{"n": Infinity}',
    }
    others |= {"nan": b'{"temperature": NaN}', "an octal": b'{"n": 007}', "hex": b'{"n": 0x7}'}
    others |= {
        "surrogate": b'{"%b": "\\ud800"' % name.encode(),
        "huge": b'{"n": 1%b}' % (b"0" * 5000),
    }
    for kind, value in (
        ("null", None),
        ("list", []),
        ("object", {}),
        ("number", 1),
        ("true", True),
    ):
        others[f"{name} is {kind}"] = json.dumps({**right, name: value}).encode()
    for missing in right:
        kept = {key: value for key, value in right.items() if key != missing}
        others[f"no {missing}"] = json.dumps(kept).encode()
    return others


def whole_gateway(start_gateway: StartGateway, provider: Provider) -> Gateway:
    """A gateway with an embedding model too."""
    return start_gateway(EMBEDDINGS.replace("URL", provider.url))


def test_malformed_bodies_are_refused(start_gateway: StartGateway, provider: Provider) -> None:
    """Dozens of kinds for each path: 4xx in its shape in less than a second."""
    gateway = whole_gateway(start_gateway, provider)
    tried = 0
    for path, right in RIGHT.items():
        for kind, body in malformed(right).items():
            began = time.perf_counter()
            said = send(gateway, "POST", path, body)
            assert time.perf_counter() - began < 1.0, (path, kind)
            assert 400 <= said.status < 500, (path, kind, said.raw)
            assert said.error["type"] == "invalid_request_error", (path, kind)
            tried += 1
    assert tried >= 140
    assert not provider.seen


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
FIELDS = ("input", "prompt", "tools", "text", "reasoning", "stream", "include", "n", "store",
          "dimensions", "echo", "logprobs", "metadata", "emafusion", "encoding_format", "stop",
          "previous_response_id", "tool_choice", "user")  # fmt: skip


@settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.data())
def test_whatever_comes_is_answered(gateway: Gateway, data: st.DataObject) -> None:
    """Never by a bug: what is sent is an answer, or an error of the client's or a provider's."""
    path = data.draw(st.sampled_from(list(RIGHT)))
    changes: dict[str, Any] = data.draw(
        st.dictionaries(st.sampled_from(FIELDS), values, max_size=3)
    )
    said = send(gateway, "POST", path, json.dumps({**RIGHT[path], **changes}).encode())
    assert said.status != 500, said.raw
    if said.status != 200:
        assert said.error["message"]


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(
    st.sampled_from(["/v1/files", "/v1/batches", "/v1/responses/x/input_items", "/v1/responses/x"]),
    st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=30),
)
def test_whatever_follows_an_address_is_read_or_refused(
    gateway: Gateway, path: str, text: str
) -> None:
    """Parameters that nobody knows, or that make no sense, are a 4xx."""
    said = send(gateway, "GET", f"{path}?{text}")
    assert said.status == 200 or 400 <= said.status < 500, said.raw
