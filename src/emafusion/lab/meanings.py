"""Vectors of recorded prompts: asked for once, kept in a file, so that a replay repeats."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path

import numpy as np

from emafusion.build.meaning import AT_ONCE, open_reader
from emafusion.config import Config
from emafusion.domain.errors import BadInput, Failure
from emafusion.domain.query import Embedding, Query
from emafusion.encode.hashing import clip
from emafusion.gateway.meaning import Reader

Vectors = Mapping[str, Embedding]
"""By `key_of` the prompt."""

VectorsOf = Callable[[str, Sequence[Query]], Vectors]
"""(name of an encoder outside the package, queries) -> vectors of their prompts."""

_UNSAFE = re.compile(r"[^a-z0-9.-]+")


def key_of(query: Query) -> str:
    """What a prompt's vector is kept under: 32 hex digits of what of it is read."""
    return blake2b(clip(query.prompt).encode("utf-8", "replace"), digest_size=16).hexdigest()


def meant(queries: Sequence[Query], vectors: Vectors) -> tuple[Query, ...]:
    """Queries with their vectors; one that has none is read by its words alone."""
    return tuple(replace(query, embedding=vectors.get(key_of(query))) for query in queries)


def nobody(name: str, _queries: Sequence[Query]) -> Vectors:
    """Knows no vectors. Raises `BadInput`."""
    raise BadInput(f"nobody was named who knows vectors by {name}", where="encoder")


def asking(folder: Path, config: Config, env: Mapping[str, str]) -> VectorsOf:
    """Ask the encoder for what the folder has not kept yet, and keep it there."""

    def vectors_of(name: str, queries: Sequence[Query]) -> Vectors:
        path = folder / f"{_UNSAFE.sub('-', name.lower())[:100]}.npz"
        kept = _read(path)
        texts = {key_of(query): clip(query.prompt) for query in queries if query.prompt}
        missing = [key for key in texts if key not in kept]
        if missing:
            kept |= asyncio.run(
                _asked(name, config, env, texts={key: texts[key] for key in missing})
            )
            _write(path, kept)
        return kept

    return vectors_of


async def _asked(
    name: str, config: Config, env: Mapping[str, str], *, texts: Mapping[str, str]
) -> dict[str, Embedding]:
    """Ask for every text. Raises `BadInput`, which says who failed and how."""
    reader = open_reader(name, config, env)
    try:
        return await _all(reader, texts)
    except Failure as failure:
        raise BadInput(f"gives no vectors: {failure}", where=name) from failure
    finally:
        await reader.close()


async def _all(reader: Reader, texts: Mapping[str, str]) -> dict[str, Embedding]:
    keys, found = list(texts), dict[str, Embedding]()
    for start in range(0, len(keys), AT_ONCE):
        part = keys[start : start + AT_ONCE]
        vectors = await reader.vectors([texts[key] for key in part])
        found.update(zip(part, vectors, strict=True))
    return found


def _read(path: Path) -> dict[str, Embedding]:
    """What is kept; nothing where the file is absent or no such file."""
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(zip(file["keys"].tolist(), file["vectors"], strict=True))
    except (OSError, ValueError, KeyError):
        return {}


def _write(path: Path, vectors: Vectors) -> None:
    """Keep vectors of the most frequent length, whole or not at all."""
    sizes = [len(vector) for vector in vectors.values()]
    usual = max(set(sizes), key=sizes.count)
    held = {key: vector for key, vector in vectors.items() if len(vector) == usual}
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_suffix(".part.npz")
    np.savez(draft, keys=np.array(list(held)), vectors=np.stack(list(held.values())))
    draft.replace(path)
