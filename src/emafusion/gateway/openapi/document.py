"""The whole document, put together once, when somebody first asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from msgspec import json

from emafusion.gateway.openapi.answers import ANSWERS
from emafusion.gateway.openapi.bodies import CHANGES, NAMES, REQUESTS
from emafusion.gateway.openapi.operations import OPERATIONS, Operation
from emafusion.gateway.openapi.structs import Schema, Structs
from emafusion.version import __version__

ABOUT = (
    "Answers by the model of the pool that is worth its price, in the APIs that clients speak. "
    "`model` is `auto`, a profile such as `emafusion/eco`, or a name of `/v1/models`."
)


@lru_cache(maxsize=1)
def document() -> bytes:
    """The document, as JSON."""
    return json.format(json.encode(described()), indent=1)


def described() -> Mapping[str, object]:
    """The document."""
    structs = Structs(NAMES, CHANGES)
    paths: dict[str, dict[str, object]] = {}
    for operation in OPERATIONS:
        written = _operation(operation, structs)
        paths.setdefault(operation.path, {})[operation.method] = written
    schemas = {**structs.components, **ANSWERS}
    return {
        "openapi": "3.1.0",
        "info": {"title": "emafusion", "version": __version__, "description": ABOUT},
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-api-key"},
            },
        },
    }


def _operation(operation: Operation, structs: Structs) -> Mapping[str, object]:
    written: dict[str, object] = {
        "operationId": operation.name,
        "summary": operation.about,
        "responses": _responses(operation),
    }
    if not operation.is_open:
        # A gateway that only its own machine can reach asks for no key.
        written["security"] = [{}, {"bearer": []}, {"apiKey": []}]
    if operation.parameters:
        written["parameters"] = list(operation.parameters)
    body = _body(operation, structs)
    if body is not None:
        written["requestBody"] = {"required": True, "content": body}
    return written


def _body(operation: Operation, structs: Structs) -> Mapping[str, object] | None:
    if operation.form is not None:
        return {"multipart/form-data": {"schema": operation.form}}
    schema = operation.body
    if operation.method == "post" and operation.path in REQUESTS:
        schema = structs.reference(REQUESTS[operation.path])
    return None if schema is None else {"application/json": {"schema": schema}}


def _responses(operation: Operation) -> Mapping[str, object]:
    error: Mapping[str, Schema] = {"application/json": {"schema": _ref(operation.error)}}
    content: dict[str, Schema] = {operation.kind: {}}
    if operation.answer is not None:
        content = {operation.kind: {"schema": _ref(operation.answer)}}
    if operation.streams:
        content["text/event-stream"] = {}
    return {
        "200": {"description": "As asked.", "content": content},
        "4XX": {"description": "The request cannot be answered.", "content": error},
        "5XX": {"description": "No model could answer.", "content": error},
    }


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
