"""OpenAI's chat completions: what clients speak to us and we speak to most servers."""

from emafusion.wire.openai.answer import Extras, encode_reply
from emafusion.wire.openai.chunk import ChunkWriter, encode_delta
from emafusion.wire.openai.dialect import OpenAIDialect
from emafusion.wire.openai.errors import encode_error, status_of
from emafusion.wire.openai.held import deltas_of
from emafusion.wire.openai.inbound import decode_query
from emafusion.wire.openai.listing import ModelEntry, encode_model, encode_models
from emafusion.wire.openai.unasked import without_logprobs

__all__ = [
    "ChunkWriter",
    "Extras",
    "ModelEntry",
    "OpenAIDialect",
    "decode_query",
    "deltas_of",
    "encode_delta",
    "encode_error",
    "encode_model",
    "encode_models",
    "encode_reply",
    "status_of",
    "without_logprobs",
]
