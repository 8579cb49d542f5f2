"""OpenAI's chat completions: what clients speak to us and we speak to most servers."""

from emafusion.wire.openai.client import (
    ChunkWriter,
    ModelEntry,
    deltas_of,
    encode_delta,
    encode_error,
    encode_model,
    encode_models,
    encode_reply,
)
from emafusion.wire.openai.dialect import OpenAIDialect
from emafusion.wire.openai.inbound import decode_query

__all__ = [
    "ChunkWriter",
    "ModelEntry",
    "OpenAIDialect",
    "decode_query",
    "deltas_of",
    "encode_delta",
    "encode_error",
    "encode_model",
    "encode_models",
    "encode_reply",
]
