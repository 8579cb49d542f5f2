"""Google's Gemini API: what clients speak to us and we speak to upstreams."""

from emafusion.wire.gemini.answer import encode_reply
from emafusion.wire.gemini.dialect import GeminiDialect
from emafusion.wire.gemini.errors import encode_error
from emafusion.wire.gemini.events import Delivery, ResponseWriter
from emafusion.wire.gemini.held import deltas_of
from emafusion.wire.gemini.inbound import Asked, decode_query, shows_thoughts
from emafusion.wire.gemini.listing import encode_model, encode_models

__all__ = [
    "Asked",
    "Delivery",
    "GeminiDialect",
    "ResponseWriter",
    "decode_query",
    "deltas_of",
    "encode_error",
    "encode_model",
    "encode_models",
    "encode_reply",
    "shows_thoughts",
]
