"""Every operation of every path that clients may call."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from emafusion.gateway.openapi.bodies import SAID
from emafusion.gateway.openapi.structs import Schema

TEXT: Schema = {"type": "string"}
FILLED: Schema = {"type": "string", "minLength": 1}
IDS: Schema = {"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9_-]+$"}


class Operation(Struct, frozen=True, kw_only=True):
    """One operation. `name`: its id; `answer`: name of the schema of what it answers.

    `body`: where it is not a struct of `REQUESTS`; `form`: of one that comes as a form; `kind`: of
    content; `error`: name of the schema of its errors; `streams`: whether it can; `is_open`: it
    needs no key.
    """

    path: str
    method: Literal["get", "post", "delete"]
    name: str
    about: str
    answer: str | None = None
    body: Schema | None = None
    form: Schema | None = None
    parameters: tuple[Schema, ...] = ()
    kind: str = "application/json"
    error: str = "Error"
    streams: bool = False
    is_open: bool = False


def _in_path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": IDS}


def _in_query(name: str, schema: Schema) -> Schema:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _count(most: int) -> Schema:
    return _in_query("limit", {"type": "integer", "minimum": 1, "maximum": most})


ORDER = _in_query("order", {"type": "string", "enum": ["asc", "desc"]})
GEMINI: Schema = {"type": "object", "properties": {"contents": SAID}, "required": ["contents"]}
EXPIRY: Schema = {"type": "integer", "minimum": 3600, "maximum": 2_592_000}
UPLOAD: Schema = {
    "type": "object",
    "properties": {
        "file": {"type": "string", "format": "binary", "minLength": 1},
        "purpose": {"type": "string", "const": "batch"},
    },
    "required": ["file", "purpose"],
    "additionalProperties": False,
}
FEEDBACK: Schema = {
    "type": "object",
    "properties": {
        "decision_id": {"type": "string", "minLength": 1, "maxLength": 80},
        "score": {"type": "number", "minimum": 0, "maximum": 1},
    },
    "required": ["decision_id", "score"],
    "additionalProperties": False,
}

_MADE = (
    Operation(
        path="/v1/chat/completions",
        method="post",
        name="createChatCompletion",
        about="Answer a conversation.",
        answer="ChatCompletion",
        streams=True,
    ),
    Operation(
        path="/v1/responses",
        method="post",
        name="createResponse",
        about="Answer in the Responses API; kept unless store is false.",
        answer="Response",
        streams=True,
    ),
    Operation(
        path="/v1/completions",
        method="post",
        name="createCompletion",
        about="Continue a prompt.",
        answer="TextCompletion",
        streams=True,
    ),
    Operation(
        path="/v1/embeddings",
        method="post",
        name="createEmbedding",
        about="Make vectors of texts.",
        answer="Embeddings",
    ),
    Operation(
        path="/v1/messages",
        method="post",
        name="createMessage",
        about="Answer in Anthropic's API.",
        answer="Message",
        error="AnthropicError",
        streams=True,
    ),
    Operation(
        path="/v1/messages/count_tokens",
        method="post",
        name="countMessageTokens",
        about="Count the tokens of a request in Anthropic's API.",
        answer="Tokens",
        error="AnthropicError",
    ),
)


_RESPONSE, _FILE, _BATCH = (_in_path(name) for name in ("response_id", "file_id", "batch_id"))
_ONE, _FILES, _BATCHES = "/v1/responses/{response_id}", "/v1/files", "/v1/batches"

_KEPT: tuple[Operation, ...] = (
    Operation(
        path=_ONE,
        method="get",
        name="getResponse",
        about="Give a kept response.",
        answer="Response",
        parameters=(_RESPONSE,),
        streams=True,
    ),
    Operation(
        path=_ONE,
        method="delete",
        name="deleteResponse",
        about="Forget a kept response.",
        answer="Deleted",
        parameters=(_RESPONSE,),
    ),
    Operation(
        path=f"{_ONE}/input_items",
        method="get",
        name="listInputItems",
        about="List the items of a kept response's input.",
        answer="Items",
        parameters=(_RESPONSE, _count(100), ORDER),
    ),
    Operation(
        path=_FILES,
        method="post",
        name="uploadFile",
        about="Keep a file for batches.",
        answer="File",
        form=UPLOAD,
    ),
    Operation(
        path=_FILES,
        method="get",
        name="listFiles",
        about="List kept files.",
        answer="Files",
        parameters=(_count(10_000), ORDER, _in_query("purpose", TEXT)),
    ),
    Operation(
        path=f"{_FILES}/{{file_id}}",
        method="get",
        name="getFile",
        about="Tell of a kept file.",
        answer="File",
        parameters=(_FILE,),
    ),
    Operation(
        path=f"{_FILES}/{{file_id}}",
        method="delete",
        name="deleteFile",
        about="Forget a kept file.",
        answer="Deleted",
        parameters=(_FILE,),
    ),
    Operation(
        path=f"{_FILES}/{{file_id}}/content",
        method="get",
        name="getFileContent",
        about="Give what is in a kept file.",
        kind="application/octet-stream",
        parameters=(_FILE,),
    ),
    Operation(
        path=_BATCHES, method="post", name="createBatch", about="Begin a batch.", answer="Batch"
    ),
    Operation(
        path=_BATCHES,
        method="get",
        name="listBatches",
        about="List batches.",
        answer="Batches",
        parameters=(_count(100),),
    ),
    Operation(
        path=f"{_BATCHES}/{{batch_id}}",
        method="get",
        name="getBatch",
        about="Tell how a batch stands.",
        answer="Batch",
        parameters=(_BATCH,),
    ),
    Operation(
        path=f"{_BATCHES}/{{batch_id}}/cancel",
        method="post",
        name="cancelBatch",
        about="End a batch.",
        answer="Batch",
        parameters=(_BATCH,),
    ),
)


def _google() -> Iterator[Operation]:
    """Google's API."""
    model = _in_path("model")
    for verb, name, answer, streams in (
        ("generateContent", "generateContent", "GenerateContent", False),
        ("countTokens", "countTokens", "TotalTokens", False),
    ):
        yield Operation(
            path=f"/v1beta/models/{{model}}:{verb}",
            method="post",
            name=name,
            about="As in Google's API.",
            answer=answer,
            body=GEMINI,
            parameters=(model,),
            error="GoogleError",
            streams=streams,
        )
    yield Operation(
        path="/v1beta/models/{model}:streamGenerateContent",
        method="post",
        name="streamGenerateContent",
        about="As in Google's API: a list, or events with ?alt=sse.",
        body=GEMINI,
        parameters=(model, _in_query("alt", {"type": "string", "enum": ["json", "sse"]})),
        error="GoogleError",
        streams=True,
    )


_OTHERS: tuple[Operation, ...] = (
    Operation(
        path="/v1/models",
        method="get",
        name="listModels",
        about="List the models.",
        answer="Models",
    ),
    Operation(
        path="/v1/models/{model}",
        method="get",
        name="getModel",
        about="Tell of a model.",
        answer="Model",
        parameters=(_in_path("model"),),
    ),
    Operation(
        path="/v1/route",
        method="post",
        name="explainRoute",
        about="Tell what would be done with a chat completion, and why; asks no model.",
        answer="Anything",
        body={"$ref": "#/components/schemas/ChatRequest"},
    ),
    Operation(
        path="/v1/feedback",
        method="post",
        name="giveFeedback",
        about="Tell how good an answer was.",
        answer="Anything",
        body=FEEDBACK,
    ),
    Operation(
        path="/health",
        method="get",
        name="health",
        about="The process answers.",
        answer="Anything",
        is_open=True,
    ),
    Operation(
        path="/ready",
        method="get",
        name="ready",
        about="Whether a model can answer, and what stands in the way.",
        answer="Anything",
        error="Anything",
        is_open=True,
    ),
    Operation(
        path="/metrics",
        method="get",
        name="metrics",
        about="Metrics for Prometheus.",
        kind="text/plain",
    ),
    Operation(
        path="/openapi.json",
        method="get",
        name="openapi",
        about="This document.",
        answer="Anything",
        is_open=True,
    ),
)

OPERATIONS: tuple[Operation, ...] = (*_MADE, *_KEPT, *_google(), *_OTHERS)
"""All of them."""
