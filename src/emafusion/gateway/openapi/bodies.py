"""Requests: what their structs leave to the code that reads them, said as JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from emafusion.gateway import batches
from emafusion.gateway.openapi.structs import Changes, Schema
from emafusion.wire.anthropic import params as messages
from emafusion.wire.completions import inbound as completions
from emafusion.wire.embeddings import asked as embeddings
from emafusion.wire.gemini import params as gemini
from emafusion.wire.openai import params as chat
from emafusion.wire.responses import params as responses

NAMES: Mapping[str, str] = {
    chat.__name__: "Chat",
    completions.__name__: "Completion",
    embeddings.__name__: "Embedding",
    batches.__name__: "Batch",
    messages.__name__: "Message",
    gemini.__name__: "Gemini",
    responses.__name__: "Response",
}
"""How the names of a module's structs begin."""

JSON_SCHEMA: Schema = {"type": ["object", "null"], "description": "A JSON Schema."}
ADDRESS: Schema = {"type": "string", "pattern": "^(data:|https://|http://)"}
TEXT: Schema = {"type": "string"}
FILLED: Schema = {"type": "string", "minLength": 1}


def tagged(kind: str, required: Mapping[str, Schema], **more: Schema) -> Schema:
    """An object of one kind, with fields that it must and fields that it may have."""
    return {
        "type": "object",
        "properties": {"type": {"const": kind}, **required, **more},
        "required": ["type", *required],
    }


def obj(required: Mapping[str, Schema], **more: Schema) -> Schema:
    """An object with fields that it must and fields that it may have."""
    return {"type": "object", "properties": {**required, **more}, "required": list(required)}


DETAIL: Schema = {"enum": ["auto", "low", "high", "original", None]}
CHAT_PARTS: Schema = {
    "type": "array",
    "items": {
        "oneOf": [
            tagged("text", {"text": TEXT}),
            tagged("image_url", {"image_url": obj({"url": ADDRESS}, detail=DETAIL)}),
            tagged("input_audio", {"input_audio": obj({"data": TEXT, "format": TEXT})}),
            tagged(
                "file",
                {"file": obj({}, file_data={"type": ["string", "null"]})},
            ),
            tagged("refusal", {"refusal": TEXT}),
        ]
    },
}
CHAT_CONTENT: Schema = {"anyOf": [TEXT, CHAT_PARTS]}
ITEM_PARTS: Schema = {
    "type": "array",
    "items": {
        "oneOf": [
            tagged("input_text", {"text": TEXT}),
            tagged("output_text", {"text": TEXT}),
            tagged("refusal", {"refusal": TEXT}),
            tagged("input_image", {"image_url": ADDRESS}, detail=DETAIL),
            tagged("input_file", {"file_data": TEXT}, filename={"type": ["string", "null"]}),
        ]
    },
}
CALLED: Schema = {
    "type": "object",
    "oneOf": [
        {
            "properties": {
                "type": {"const": "function"},
                "id": FILLED,
                "function": obj({"name": FILLED, "arguments": TEXT}),
            },
            "required": ["id", "function"],
        },
        {
            "properties": {
                "type": {"const": "custom"},
                "id": FILLED,
                "custom": obj({"name": FILLED, "input": TEXT}),
            },
            "required": ["id", "type", "custom"],
        },
    ],
}


def role(names: list[str], required: Mapping[str, Schema]) -> Schema:
    """A turn of one of these roles."""
    return {
        "properties": {"role": {"enum": names}, **required},
        "required": ["role", *required],
    }


TURNS: Schema = {
    "oneOf": [
        role(["developer", "system", "user"], {"content": CHAT_CONTENT}),
        role(["tool"], {"content": CHAT_CONTENT, "tool_call_id": FILLED}),
        {
            "properties": {"role": {"const": "assistant"}},
            "required": ["role"],
            "anyOf": [
                {"properties": {"content": CHAT_CONTENT}, "required": ["content"]},
                {
                    "properties": {"tool_calls": {"type": "array", "minItems": 1, "items": CALLED}},
                    "required": ["tool_calls"],
                },
                {"properties": {"refusal": FILLED}, "required": ["refusal"]},
            ],
        },
        role(["function"], {"name": FILLED}),
    ]
}

CALLABLE: Schema = {
    "type": "array",
    "minItems": 1,
    "items": tagged(
        "function",
        {
            "function": obj(
                {"name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}},
                description={"type": ["string", "null"]},
                parameters=JSON_SCHEMA,
                strict={"type": ["boolean", "null"]},
            )
        },
    ),
}
CHOICE: Schema = {
    "enum": ["none", "auto", None],
    "description": "Where there are tools also 'required', or one of them by its name, as in "
    "OpenAI's reference.",
}
SCORED: Schema = {
    "dependentSchemas": {
        "top_logprobs": {
            "anyOf": [
                {"properties": {"top_logprobs": {"const": None}}},
                {"properties": {"logprobs": {"const": True}}, "required": ["logprobs"]},
            ]
        }
    }
}
TOKENS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
}
INPUTS: Schema = {
    "anyOf": [
        FILLED,
        {"type": "array", "minItems": 1, "maxItems": 2048, "items": FILLED},
        TOKENS,
    ]
}
ITEMS: Schema = {
    "anyOf": [
        TEXT,
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "properties": {
                    "type": {"const": "message"},
                    "role": {"enum": ["user", "assistant", "system", "developer"]},
                    "content": {"anyOf": [TEXT, ITEM_PARTS]},
                },
                "required": ["role", "content"],
                "description": "A message; also function_call, function_call_output, reasoning, "
                "custom_tool_call, custom_tool_call_output and item_reference.",
            },
        },
    ]
}
HOSTED: Schema = {"type": "null", "description": "Not had here."}
BLOCKS: Schema = {
    "type": "array",
    "minItems": 1,
    "items": tagged("text", {"text": FILLED}),
    "description": "Blocks as in Anthropic's reference.",
}
CLAUDE_TOOLS: Schema = {
    "type": ["array", "null"],
    "minItems": 1,
    "items": obj(
        {
            "name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"},
            "input_schema": {"type": "object"},
        }
    ),
}
CLAUDE_CHOICE: Schema = {
    "type": "null",
    "description": "Where there are tools, as in Anthropic's reference.",
}
SAID: Schema = {
    "type": "array",
    "minItems": 1,
    "items": obj(
        {"parts": {"type": "array", "minItems": 1, "items": obj({"text": TEXT})}},
        role={"enum": ["user", "model"]},
    ),
    "description": "Turns as in Google's reference.",
}

CHANGES: Changes = {
    (chat.MessageParam, ""): TURNS,
    (chat.MessageParam, "content"): {"anyOf": [TEXT, CHAT_PARTS, {"type": "null"}]},
    (chat.MessageParam, "tool_calls"): {"type": ["array", "null"], "items": CALLED},
    (chat.SchemaParam, "schema"): JSON_SCHEMA,
    (chat.FormatParam, ""): {
        "if": {"properties": {"type": {"const": "json_schema"}}, "required": ["type"]},
        "then": {"properties": {"json_schema": {"type": "object"}}, "required": ["json_schema"]},
    },
    (chat.PredictionParam, "content"): {"anyOf": [TEXT, CHAT_PARTS]},
    (chat.Params, ""): SCORED,
    (chat.Params, "tools"): CALLABLE,
    (chat.Params, "functions"): {"type": "null", "description": "The older form of tools."},
    (chat.Params, "tool_choice"): CHOICE,
    (chat.Params, "function_call"): CHOICE,
    (batches.Params, ""): {"additionalProperties": False},
    (completions.Params, "prompt"): {
        "anyOf": [FILLED, {"type": "array", "minItems": 1, "maxItems": 1, "items": FILLED}],
        "description": "Up to 128 texts; several are answered whole.",
    },
    (completions.Params, "suffix"): {"enum": ["", None]},
    (completions.Params, "best_of"): {"enum": [0, 1, None]},
    (embeddings.Params, "input"): INPUTS,
    (embeddings.Params, ""): {"required": ["model", "input"]},
    (responses.Params, "input"): ITEMS,
    (responses.Params, ""): {"required": ["model", "input"]},
    (responses.Params, "background"): {"enum": [False, None]},
    (responses.Params, "tools"): {
        "type": "array",
        "items": tagged(
            "function",
            {"name": {"type": "string", "pattern": "^[a-zA-Z0-9_-]{1,64}$"}},
            description={"type": ["string", "null"]},
            parameters=JSON_SCHEMA,
            strict={"type": ["boolean", "null"]},
        ),
    },
    (responses.Params, "tool_choice"): CHOICE,
    (responses.ReasoningParam, "mode"): {"enum": ["standard", None]},
    (responses.ReasoningParam, "context"): {"enum": ["auto", None]},
    (responses.FormatParam, ""): {
        "if": {"properties": {"type": {"const": "json_schema"}}, "required": ["type"]},
        "then": {
            "properties": {
                "name": {"type": "string"},
                "schema": {"type": "object"},
            },
            "required": ["name", "schema"],
        },
    },
    (responses.FormatParam, "schema"): JSON_SCHEMA,
    **{
        (responses.Params, name): HOSTED
        for name in (
            "access_programs",
            "background_options",
            "context_management",
            "conversation",
            "image",
            "previous_response_id",
            "prompt",
        )
    },
    (messages.MessageParam, "content"): {"anyOf": [FILLED, BLOCKS]},
    (messages.Params, ""): {"required": ["model", "messages", "max_tokens"]},
    (messages.Params, "max_tokens"): {"type": "integer", "minimum": 0, "maximum": 2**31 - 1},
    (messages.FormatParam, "schema"): {"type": "object"},
    (messages.Prompt, "system"): {"anyOf": [TEXT, BLOCKS, {"type": "null"}]},
    (messages.Params, "system"): {"anyOf": [TEXT, BLOCKS, {"type": "null"}]},
    **{
        (struct, name): schema
        for struct in (messages.Prompt, messages.Params)
        for name, schema in (("tools", CLAUDE_TOOLS), ("tool_choice", CLAUDE_CHOICE))
    },
    (gemini.Params, "contents"): SAID,
}


REQUESTS: Mapping[str, type[Struct]] = {
    "/v1/batches": batches.Params,
    "/v1/chat/completions": chat.Params,
    "/v1/completions": completions.Params,
    "/v1/embeddings": embeddings.Params,
    "/v1/messages": messages.Params,
    "/v1/messages/count_tokens": messages.Prompt,
    "/v1/responses": responses.Params,
}
"""The struct of each JSON body that a path takes."""
