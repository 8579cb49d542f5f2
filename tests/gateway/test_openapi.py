"""The published description of the APIs is true, and schemathesis finds nothing that it is not."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from tests.gateway.provider import Provider
from tests.gateway.starting import Gateway, StartGateway
from tests.gateway.talking import Said, send

from emafusion.gateway.app import ROUTES, route_of
from emafusion.gateway.openapi.document import document

ROOT = Path(__file__).resolve().parents[2]
PUBLISHED = ROOT / "docs" / "openapi.json"
TOOL = os.environ.get("EMAFUSION_SCHEMATHESIS")
EMBEDDINGS = """
embeddings:
  - {name: small, provider: openai, base_url: "URL", prompt_usd_per_mtok: 0.02}
"""
Document = dict[str, Any]
CHAT = {"messages": [{"role": "user", "content": "?"}]}
BODIES: dict[str, Document] = {
    "/v1/chat/completions": {"model": "auto", **CHAT},
    "/v1/completions": {"model": "auto", "prompt": "?"},
    "/v1/embeddings": {"model": "small", "input": "?"},
    "/v1/messages": {"model": "auto", "max_tokens": 5, **CHAT},
    "/v1/messages/count_tokens": {"model": "auto", **CHAT},
    "/v1/responses": {"model": "auto", "input": "?"},
    "/v1/route": {"model": "auto", **CHAT},
}
"""A request for each path that takes one and answers at once."""


@pytest.fixture
def whole_gateway(start_gateway: StartGateway, provider: Provider) -> Gateway:
    """A gateway with an embedding model too."""
    return start_gateway(EMBEDDINGS.replace("URL", provider.url))


def read() -> Document:
    """The document."""
    found = json.loads(document())
    assert isinstance(found, dict)
    return found


def test_it_is_the_one_in_the_docs() -> None:
    """`scripts/docs` writes it there."""
    assert PUBLISHED.read_bytes() == document() + b"\n"


def test_it_is_served_without_a_key(start_gateway: StartGateway) -> None:
    """Machines that look for it have none yet."""
    said = send(start_gateway(keys=("secret",)), "GET", "/openapi.json")
    assert (said.status, said.raw) == (200, document())


def test_every_path_is_described() -> None:
    """No route without a description, no description without a route, methods the same."""
    described: dict[int, set[str]] = {}
    for path, operations in read()["paths"].items():
        below = re.sub(r"^/v1(beta)?(?=/)", "", re.sub(r"\{\w+\}", "x", path))
        route = route_of(below)
        assert route is not None, path
        described.setdefault(id(route), set()).update(name.upper() for name in operations)
    assert described == {id(route): set(route.handlers) for route in ROUTES.values()}


def test_answers_are_as_described(whole_gateway: Gateway) -> None:
    """A request that holds to the description gets an answer that does."""
    for path, body in BODIES.items():
        check(path, body)
        said = send(whole_gateway, "POST", path, json.dumps(body).encode())
        check_said(path, "post", said)
    for path in ("/v1/models", "/v1/files", "/v1/batches", "/health", "/ready"):
        check_said(path, "get", send(whole_gateway, "GET", path))


def test_errors_are_as_described(whole_gateway: Gateway) -> None:
    """Each in the shape of its API."""
    for path in BODIES:
        for body in (b"", b"[]", b'{"model": 1}', b"\xff"):
            said = send(whole_gateway, "POST", path, body)
            assert 400 <= said.status < 500, path
            check_said(path, "post", said)


def check_said(path: str, method: str, said: Said) -> None:
    """Hold a reply to its description."""
    operation = read()["paths"][path][method]["responses"]
    content = operation.get(str(said.status), operation.get(f"{said.status // 100}XX"))["content"]
    kind = said.headers["content-type"].partition(";")[0]
    validate(content[kind]["schema"], said.body)


def check(path: str, body: Document) -> None:
    """Hold a request to its description."""
    content = read()["paths"][path]["post"]["requestBody"]["content"]
    validate(content["application/json"]["schema"], body)


def validate(schema: Document, value: object) -> None:
    """Hold a value to a schema of the document."""
    whole = {**schema, "components": read()["components"]}
    jsonschema_rs.validator_for(whole).validate(value)


@pytest.mark.timeout(300)
@pytest.mark.skipif(TOOL is None, reason="scripts/schemathesis runs it, in its own environment")
@pytest.mark.parametrize("answered", [False, True], ids=["as published", "with models"])
def test_schemathesis_finds_nothing(
    whole_gateway: Gateway, tmp_path: Path, *, answered: bool
) -> None:
    """Neither in what is published nor, with models that are there, in what is answered.

    Of answers only the form is looked at: what a model of the pool cannot do (its context is too
    short, say) is refused with 400, and no schema can say that.
    """
    file = tmp_path / "openapi.json"
    found = read()
    if answered:
        name_models(found)
    file.write_text(json.dumps(found), encoding="utf-8")
    checks = "not_a_server_error,status_code_conformance,content_type_conformance"
    chosen = ("--checks", f"{checks},response_schema_conformance" if answered else "all")
    done = subprocess.run(
        (
            TOOL or "",
            "run",
            str(file),
            "--url",
            whole_gateway.url,
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "10",
            "--max-time",
            "30",
            "--workers",
            "1",  # its own threads do not get on with every Python
            "--no-color",
            *chosen,
        ),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout[-40_000:] + done.stderr[-2000:]


def name_models(found: Document) -> None:
    """Let every request name a model that is there."""
    for name, schema in found["components"]["schemas"].items():
        if name.endswith(("Request", "MessagePrompt")) and "model" in schema["properties"]:
            schema["properties"]["model"] = {
                "const": "small" if name.startswith("Embedding") else "auto"
            }
