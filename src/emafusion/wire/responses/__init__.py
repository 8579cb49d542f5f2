"""OpenAI's Responses API: what clients speak to us; behind it a query is like any other."""

from emafusion.wire.responses.events import EventWriter
from emafusion.wire.responses.frame import Frame
from emafusion.wire.responses.inbound import Asked, decode_request
from emafusion.wire.responses.output import output_of
from emafusion.wire.responses.query import query_of

__all__ = ["Asked", "EventWriter", "Frame", "decode_request", "output_of", "query_of"]
