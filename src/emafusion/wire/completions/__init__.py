"""OpenAI's older completions: a prompt in, its continuation out; asked as one message of a user."""

from emafusion.wire.completions.answer import TextWriter, encode_completion
from emafusion.wire.completions.inbound import Prompted, decode_prompts, query_of

__all__ = ["Prompted", "TextWriter", "decode_prompts", "encode_completion", "query_of"]
