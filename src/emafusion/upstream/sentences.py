"""A sentence encoder on this machine: an ONNX model and its tokenizer, in a folder of the user's.

Needs the extra `encoders`. Token vectors are averaged over the tokens of the text, unless the model
gives one vector a text, and scaled to norm 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast

import numpy as np
import numpy.typing as npt

from emafusion.domain.errors import BadInput, Unready

Vectors = npt.NDArray[np.float32]
MOST_TOKENS = 512
AT_ONCE = 32

MODELS = ("model.onnx", "onnx/model.onnx", "model_quantized.onnx", "onnx/model_quantized.onnx")
"""Where the model may be in its folder; the first one that is there."""


class _Input(Protocol):
    name: str


class _Session(Protocol):
    def get_inputs(self) -> Sequence[_Input]: ...

    def run(
        self, names: None, feed: dict[str, npt.NDArray[np.int64]], /
    ) -> Sequence[npt.NDArray[np.floating]]: ...


class _Encoding(Protocol):
    ids: list[int]


class _Tokenizer(Protocol):
    def encode_batch(self, texts: list[str], /) -> list[_Encoding]: ...


class OnnxSentences:
    """Texts -> vectors, by the model in a folder.

    Raises `Unready` without the extra, `BadInput` where the folder holds no such model.
    """

    def __init__(self, folder: Path) -> None:
        self._session, self._tokenizer = _opened(folder)
        self._names = {each.name for each in self._session.get_inputs()}

    def vectors(self, texts: Sequence[str]) -> Vectors:
        """Vectors of texts: float32[n, e]."""
        parts = [
            self._part(list(texts[start : start + AT_ONCE]))
            for start in range(0, len(texts), AT_ONCE)
        ]
        return np.vstack(parts) if parts else np.zeros((0, 0), np.float32)

    def _part(self, texts: list[str]) -> Vectors:
        ids = [encoding.ids[:MOST_TOKENS] for encoding in self._tokenizer.encode_batch(texts)]
        width = max(1, *map(len, ids))
        tokens = np.zeros((len(ids), width), np.int64)
        mask = np.zeros_like(tokens)
        for row, own in enumerate(ids):
            tokens[row, : len(own)] = own
            mask[row, : len(own)] = 1
        feed = {"input_ids": tokens, "attention_mask": mask, "token_type_ids": np.zeros_like(mask)}
        output = self._session.run(None, {n: feed[n] for n in feed if n in self._names})[0]
        return _of_norm_1(_pooled(output, mask))


def _opened(folder: Path) -> tuple[_Session, _Tokenizer]:
    model = next((folder / name for name in MODELS if (folder / name).is_file()), None)
    tokenizer = folder / "tokenizer.json"
    if model is None or not tokenizer.is_file():
        raise BadInput("holds no model.onnx with a tokenizer.json", where=str(folder))
    try:
        onnxruntime = import_module("onnxruntime")
        tokenizers = import_module("tokenizers")
    except ImportError as error:
        told = f"{folder}: an ONNX encoder needs the extra: pip install 'emafusion[encoders]'"
        raise Unready(told) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(
            str(model), options, providers=["CPUExecutionProvider"]
        )
        reader = tokenizers.Tokenizer.from_file(str(tokenizer))
    except Exception as error:  # both libraries raise kinds of their own
        raise BadInput(f"cannot be opened: {str(error)[:200]}", where=str(folder)) from error
    return cast("_Session", session), cast("_Tokenizer", reader)


def _pooled(output: npt.NDArray[np.floating], mask: npt.NDArray[np.int64]) -> Vectors:
    """One vector a text: the model's own, else the mean of its tokens'."""
    if output.ndim == 2:
        return output.astype(np.float32)
    weights = mask[:, : output.shape[1], None].astype(np.float32)
    total = (output * weights).sum(axis=1)
    pooled: Vectors = (total / np.maximum(weights.sum(axis=1), 1.0)).astype(np.float32)
    return pooled


def _of_norm_1(vectors: Vectors) -> Vectors:
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = (vectors / np.maximum(norms, 1e-12)).astype(np.float32)
    return scaled
