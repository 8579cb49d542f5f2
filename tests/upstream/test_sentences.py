"""A sentence encoder on this machine: a tiny ONNX model, written here byte by byte."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from emafusion.domain.errors import BadInput
from emafusion.upstream.sentences import OnnxSentences

pytest.importorskip("onnxruntime", reason="the extra `encoders` is not installed")
pytest.importorskip("tokenizers", reason="the extra `encoders` is not installed")

WORDS = ("[UNK]", "sea", "ship", "land", "farm")
TABLE = np.array([[0, 0], [1, 0], [1, 0], [0, 1], [0, 1]], np.float32)


def field(number: int, value: int | bytes | str) -> bytes:
    """One field of a protocol buffer: a number, or bytes with their length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    data = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def varint(value: int) -> bytes:
    """A number in groups of seven bits."""
    out = bytearray()
    while True:
        out.append(value & 127 | (128 if value > 127 else 0))
        value >>= 7
        if not value:
            return bytes(out)


def tensor_type(name: str, kind: int) -> bytes:
    """A named input or output of some kind of number and of any shape."""
    return field(1, name) + field(2, field(1, field(1, kind)))


def onnx_model() -> bytes:
    """Looks up a vector for each token, and nothing more."""
    gather = field(1, "table") + field(1, "input_ids") + field(2, "vectors") + field(4, "Gather")
    table = field(1, TABLE.shape[0]) + field(1, TABLE.shape[1])
    table += field(2, 1) + field(8, "table") + field(9, TABLE.tobytes())
    graph = field(1, gather) + field(2, "g") + field(5, table)
    graph += field(11, tensor_type("input_ids", 7)) + field(12, tensor_type("vectors", 1))
    return field(1, 8) + field(7, graph) + field(8, field(1, "") + field(2, 17))


def folder_of(path: Path) -> Path:
    """A folder as a sentence encoder is shipped: the model and its tokenizer."""
    (path / "onnx").mkdir()
    (path / "onnx" / "model.onnx").write_bytes(onnx_model())
    vocabulary = {word: i for i, word in enumerate(WORDS)}
    tokenizer: dict[str, object] = {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": [],
        "normalizer": {"type": "Lowercase"}, "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": None, "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": "[UNK]"},
    }  # fmt: skip
    (path / "tokenizer.json").write_text(json.dumps(tokenizer))
    return path


def test_a_text_is_the_mean_of_its_tokens_in_norm_1(tmp_path: Path) -> None:
    """Padding does not count, and as many texts as there are get as many vectors."""
    sentences = OnnxSentences(folder_of(tmp_path))
    found = sentences.vectors(["A ship at sea", "farm", "sea land", "sea"] * 20)
    assert found.shape == (80, 2)
    np.testing.assert_allclose(found[:4], [[1, 0], [0, 1], [0.5**0.5, 0.5**0.5], [1, 0]], atol=1e-6)
    assert sentences.vectors([]).shape == (0, 0)


def test_a_text_of_nothing_has_a_vector_of_nothing(tmp_path: Path) -> None:
    """An empty text is no error."""
    assert not OnnxSentences(folder_of(tmp_path)).vectors([""]).any()


def test_a_folder_without_a_model_says_what_it_lacks(tmp_path: Path) -> None:
    """Absent files, and files that are no model."""
    with pytest.raises(BadInput, match=r"holds no model\.onnx"):
        OnnxSentences(tmp_path)
    folder = folder_of(tmp_path)
    (folder / "onnx" / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(BadInput, match="cannot be opened"):
        OnnxSentences(folder)
