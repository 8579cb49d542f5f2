"""What is answered, as JSON Schema: the parts that clients may count on."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.gateway.openapi.structs import Schema

TEXT: Schema = {"type": "string"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
COUNT: Schema = {"type": "integer", "minimum": 0}
MAYBE_TIME: Schema = {"type": ["integer", "null"]}
ITEMS: Schema = {"type": "array", "items": {"type": "object"}}
FLAG: Schema = {"type": "boolean"}


def _object(kind: str | None, **required: Schema) -> Schema:
    named: dict[str, Schema] = {} if kind is None else {"object": {"const": kind}}
    properties = {**named, **required}
    return {"type": "object", "properties": properties, "required": list(properties)}


def _list(item: str) -> Schema:
    entries: Schema = {"type": "array", "items": {"$ref": f"#/components/schemas/{item}"}}
    return _object("list", data=entries)


ANSWERS: Mapping[str, Schema] = {
    "Error": _object(
        None,
        error=_object(None, message=TEXT, type=TEXT, param=MAYBE_TEXT, code=MAYBE_TEXT),
    ),
    "AnthropicError": {
        **_object(None, type={"const": "error"}, error=_object(None, type=TEXT, message=TEXT)),
    },
    "GoogleError": _object(
        None, error=_object(None, code={"type": "integer"}, message=TEXT, status=TEXT)
    ),
    "ChatCompletion": _object("chat.completion", id=TEXT, created=COUNT, model=TEXT, choices=ITEMS),
    "TextCompletion": _object("text_completion", id=TEXT, created=COUNT, model=TEXT, choices=ITEMS),
    "Response": _object(
        "response",
        id={"type": "string", "pattern": "^resp_"},
        created_at=COUNT,
        status={"enum": ["completed", "incomplete", "failed", "in_progress"]},
        model=TEXT,
        output=ITEMS,
        store=FLAG,
    ),
    "Deleted": _object(None, id=TEXT, object=TEXT, deleted={"const": True}),
    "Items": _object("list", data=ITEMS, first_id=TEXT, last_id=TEXT, has_more=FLAG),
    "Embeddings": _object("list", data=ITEMS, model=TEXT, usage={"type": "object"}),
    "File": _object(
        "file",
        id=TEXT,
        bytes=COUNT,
        created_at=COUNT,
        expires_at=MAYBE_TIME,
        filename=TEXT,
        purpose={"enum": ["batch", "batch_output"]},
        status={"const": "processed"},
    ),
    "Files": _list("File"),
    "Batch": _object(
        "batch",
        id=TEXT,
        endpoint=TEXT,
        input_file_id=TEXT,
        status=TEXT,
        created_at=COUNT,
        request_counts={"type": "object"},
    ),
    "Batches": _list("Batch"),
    "Model": _object("model", id=TEXT, owned_by=TEXT, created=COUNT),
    "Models": {"type": "object", "required": ["data"], "properties": {"data": ITEMS}},
    "Message": _object(
        None, id=TEXT, role={"const": "assistant"}, content=ITEMS, usage={"type": "object"}
    ),
    "Tokens": _object(None, input_tokens=COUNT),
    "GenerateContent": _object(None, candidates=ITEMS),
    "TotalTokens": _object(None, totalTokens=COUNT),
    "Anything": {"type": "object"},
}
"""Answers by name."""
