"""Embeddings: texts in, vectors out, in OpenAI's API and in those of the models behind it."""

from emafusion.wire.embeddings.answer import encode_embeddings
from emafusion.wire.embeddings.asked import (
    EmbedQuery,
    asked_query,
    decode_embed,
    embed_query,
    vectors_of,
    vectors_origin,
)
from emafusion.wire.embeddings.dialect import Embedded, EmbedDialect
from emafusion.wire.embeddings.gemini import GeminiEmbeddings
from emafusion.wire.embeddings.openai import OpenAIEmbeddings

__all__ = [
    "EmbedDialect",
    "EmbedQuery",
    "Embedded",
    "GeminiEmbeddings",
    "OpenAIEmbeddings",
    "asked_query",
    "decode_embed",
    "embed_query",
    "encode_embeddings",
    "vectors_of",
    "vectors_origin",
]
