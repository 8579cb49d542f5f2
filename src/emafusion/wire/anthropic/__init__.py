"""Anthropic's messages API: what clients speak to us and we speak to upstreams."""

from emafusion.wire.anthropic.answer import encode_reply
from emafusion.wire.anthropic.dialect import AnthropicDialect
from emafusion.wire.anthropic.errors import encode_error
from emafusion.wire.anthropic.events import EventWriter
from emafusion.wire.anthropic.held import deltas_of
from emafusion.wire.anthropic.inbound import COUNTING, Around, decode_count, decode_query
from emafusion.wire.anthropic.listing import encode_model, encode_models

__all__ = [
    "COUNTING",
    "AnthropicDialect",
    "Around",
    "EventWriter",
    "decode_count",
    "decode_query",
    "deltas_of",
    "encode_error",
    "encode_model",
    "encode_models",
    "encode_reply",
]
