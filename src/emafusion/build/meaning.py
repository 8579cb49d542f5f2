"""Encoders outside the package, by the name under which an artifact needs them.

`endpoint:NAME` is an embedding model of the config, `onnx:FOLDER` a model on this machine.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import numpy as np

from emafusion.build.embedders import open_embedders
from emafusion.config import Config
from emafusion.domain.command import Call
from emafusion.domain.errors import BadInput, Garbled, UnknownModel
from emafusion.domain.query import Embedding
from emafusion.encode.hashing import clip
from emafusion.gateway.embedders import Embedder, Embedders
from emafusion.gateway.meaning import Meaning, Reader
from emafusion.upstream.sentences import OnnxSentences
from emafusion.wire.embeddings import asked_query, decode_embed, vectors_of

ENDPOINT, ONNX = "endpoint", "onnx"
AT_ONCE = 64
"""Texts of one call to an endpoint."""

Numbers = tuple[float, ...]


class OnnxReader:
    """A model on this machine, run beside the event loop; implements `Reader`."""

    def __init__(self, folder: Path) -> None:
        self._sentences = OnnxSentences(folder)

    async def vectors(self, texts: Sequence[str], /) -> tuple[Embedding, ...]:
        """One vector a text."""
        return tuple(await asyncio.to_thread(self._sentences.vectors, tuple(texts)))

    async def close(self) -> None:
        """Nothing is held but memory."""


class EndpointReader:
    """An embedding model behind an API; implements `Reader`. Owns its connections."""

    def __init__(self, embedder: Embedder, all_of_them: Embedders) -> None:
        self._embedder = embedder
        self._all = all_of_them

    async def vectors(self, texts: Sequence[str], /) -> tuple[Embedding, ...]:
        """One vector a text. Raises a `Failure` where the endpoint does not say."""
        found: list[Embedding] = []
        for start in range(0, len(texts), AT_ONCE):
            part = tuple(texts[start : start + AT_ONCE])
            found.extend(await self._part(part))
        return tuple(found)

    async def _part(self, texts: tuple[str, ...]) -> list[Embedding]:
        candidate = self._embedder.candidate
        body = msgspec.json.encode({"model": candidate.remote_name, "input": texts})
        query = asked_query(decode_embed(body), query_id="meaning")
        attempt = await self._embedder.remote.send(Call(candidate=candidate, query=query))
        if attempt.reply is None:
            raise attempt.failure or Garbled("neither a reply nor a failure")
        return [_vector(raw) for raw in vectors_of(attempt.reply)]

    async def close(self) -> None:
        """Close every connection."""
        await self._all.close()


def open_meaning(name: str, config: Config, env: Mapping[str, str]) -> Meaning:
    """Make ready what an artifact needs to read queries.

    Raises `BadInput` or `Unready`, which say what is absent.
    """
    return Meaning(name=name, reader=open_reader(name, config, env), text_of=clip)


def open_reader(name: str, config: Config, env: Mapping[str, str]) -> Reader:
    """The encoder of that name. Raises as `open_meaning` does."""
    kind, _, rest = name.partition(":")
    if kind == ONNX and rest:
        return OnnxReader(Path(rest))
    if kind != ENDPOINT or not rest:
        raise BadInput(f"'{name[:80]}' is no encoder of this version", where="artifact")
    embedders = open_embedders(config, env)
    try:
        return EndpointReader(embedders.find(rest), embedders)
    except UnknownModel as error:
        told = f"queries are read by the embedding model '{rest[:80]}': {error}"
        raise BadInput(told, where="encoder") from error


def _vector(raw: msgspec.Raw) -> Embedding:
    """A vector as JSON, in norm 1. Raises `BadInput` for anything else."""
    try:
        vector = np.array(msgspec.json.decode(raw, type=Numbers), np.float32)
    except msgspec.MsgspecError as error:
        raise BadInput(f"no vector: {error}", where="embedding") from error
    norm = float(np.linalg.norm(vector))
    if not vector.size or not np.isfinite(norm):
        raise BadInput("a vector without numbers", where="embedding")
    return vector / np.float32(max(norm, 1e-12))
