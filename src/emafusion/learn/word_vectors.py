"""Tables of word vectors that a user has, as what known words mean.

    words.npz           arrays `words` and `vectors`; pieces inside a word begin with `##`
    FOLDER or .safetensors  one matrix, its rows named by `tokenizer.json` beside it
    MODEL.gguf          the input embeddings of a language model

Words that differ in case alone become one, at their mean. What is no word of letters is left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput
from emafusion.encode.lexicon import CONTINUES
from emafusion.estimate.arrays import Float32s

STARTS = ("\u0120", "\u2581")
"""How byte-pair and sentence-piece vocabularies mark the start of a word."""

FEWEST = 100
DTYPES = {"F32": "<f4", "F16": "<f2"}


class WordVectors(NamedTuple):
    """`words`: L, lower case, pieces with `##` in front; `vectors`: float32[L, e]."""

    words: tuple[str, ...]
    vectors: Float32s


def read_word_vectors(path: Path) -> WordVectors:
    """Read a table, by what kind of file it is.

    Raises:
        BadInput: absent, of no known kind, or hardly any words in it.
    """
    if path.is_dir():
        path = path / "model.safetensors"
    if not path.is_file():
        raise BadInput("no such file", where=str(path))
    kinds = {".npz": _from_npz, ".safetensors": _from_safetensors, ".gguf": _from_gguf}
    reader = kinds.get(path.suffix)
    if reader is None:
        raise BadInput(f"is none of {', '.join(kinds)}", where=str(path))
    found = merged(*reader(path))
    if len(found.words) < FEWEST:
        told = f"has {len(found.words)} words of letters, fewer than {FEWEST}"
        raise BadInput(told, where=str(path))
    return found


def merged(names: Iterable[str], vectors: npt.NDArray[np.floating]) -> WordVectors:
    """One vector for each word, whatever its case.

    >>> merged(["Sum", "sum", "7"], np.array([[1.0], [3.0], [9.0]])).vectors.tolist()
    [[2.0]]
    """
    rows: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        bare = name.removeprefix(CONTINUES)
        if bare.isalpha():
            rows.setdefault(name.lower(), []).append(row)
    words = sorted(rows)
    found = np.zeros((len(words), vectors.shape[1]), np.float32)
    for place, word in enumerate(words):
        found[place] = vectors[rows[word]].mean(axis=0)
    return WordVectors(tuple(words), found)


Named = tuple[Sequence[str], npt.NDArray[np.floating]]


def _from_npz(path: Path) -> Named:
    try:
        with np.load(path, allow_pickle=False) as file:
            words, vectors = file["words"], file["vectors"]
    except (OSError, ValueError, KeyError) as error:
        raise BadInput("holds no arrays `words` and `vectors`", where=str(path)) from error
    if words.dtype.kind != "U" or vectors.dtype.kind != "f" or vectors.shape[:1] != words.shape:
        raise BadInput("`words` are no names of the rows of `vectors`", where=str(path))
    return words.tolist(), vectors


def _from_safetensors(path: Path) -> Named:
    """The only matrix of a file, by the vocabulary of the tokenizer beside it."""
    data = path.read_bytes()
    try:
        size = int.from_bytes(data[:8], "little")
        tensors = json.loads(data[8 : 8 + size])
        tensors.pop("__metadata__", None)
        (only,) = (tensor for tensor in tensors.values() if len(tensor["shape"]) == 2)
        first, last = only["data_offsets"]
        dtype = np.dtype(DTYPES[only["dtype"]])
        raw = np.frombuffer(data[8 + size :][first:last], dtype).astype(np.float32)
        vectors = raw.reshape(only["shape"])
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput("holds no single matrix of F32 or F16", where=str(path)) from error
    return _vocabulary(path.with_name("tokenizer.json"), len(vectors)), vectors


def _vocabulary(path: Path, size: int) -> list[str]:
    """Names of the rows, from a `tokenizer.json`."""
    try:
        model = json.loads(path.read_bytes())["model"]
        vocabulary = cast("dict[str, int] | list[list[str]]", model["vocab"])
        if isinstance(vocabulary, list):
            pairs = [(entry[0], row) for row, entry in enumerate(vocabulary)]
        else:
            pairs = list(vocabulary.items())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInput("holds no vocabulary", where=str(path)) from error
    names = [""] * size
    for name, row in pairs:
        if 0 <= row < size:
            names[row] = name
    return _pieces(names)


def _from_gguf(path: Path) -> Named:
    try:
        import gguf
    except ImportError as error:
        told = "a .gguf table needs the package gguf, of the extra `local`"
        raise BadInput(told, where=str(path)) from error
    reader = gguf.GGUFReader(path)
    matrix = next((t for t in reader.tensors if t.name == "token_embd.weight"), None)
    tokens = reader.fields.get("tokenizer.ggml.tokens")
    if matrix is None or tokens is None:
        raise BadInput("holds no input embeddings", where=str(path))
    names = [bytes(tokens.parts[i]).decode("utf-8", "replace") for i in tokens.data]
    vectors = np.asarray(gguf.dequantize(matrix.data, matrix.tensor_type), np.float32)
    return _pieces(names), vectors


def _pieces(names: list[str]) -> list[str]:
    """Names with `##` before what continues a word, whatever the vocabulary's own mark."""
    if any(name.startswith(CONTINUES) for name in names):
        return names
    return [name[1:] if name.startswith(STARTS) else CONTINUES + name for name in names]
