"""First-token log-probabilities of a llama-like GGUF model by a plain 32-bit forward pass.

    python benchmarks/reference_logprobs.py FILE.gguf

The engine is held to these values by tests/upstream/local/test_local_engine.py, so that a new
release of it cannot misread the weights unnoticed. Needs the extra `local` (gguf reads the
weights, the engine's tokenizer makes the token ids); about 10 s.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

import numpy as np
from gguf import GGUFReader, quants

from emafusion.upstream.local.genai import import_engine

Array: TypeAlias = np.ndarray[tuple[int, ...], np.dtype[np.float32]]

QUESTIONS = (
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "Is a tomato a fruit? Answer yes or no.",
)


class Llama:
    """The weights as 32-bit arrays, and one forward pass."""

    def __init__(self, path: Path) -> None:
        reader = GGUFReader(path)
        self.weights: dict[str, Array] = {
            tensor.name: quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
            for tensor in reader.tensors
        }
        fields = {key: field.contents() for key, field in reader.fields.items() if "llama" in key}
        self.blocks = int(fields["llama.block_count"])
        self.heads = int(fields["llama.attention.head_count"])
        self.kv_heads = int(fields["llama.attention.head_count_kv"])
        self.base = float(fields["llama.rope.freq_base"])
        self.epsilon = float(fields["llama.attention.layer_norm_rms_epsilon"])

    def next_logprobs(self, token_ids: list[int]) -> Array:
        """float32[vocabulary]: log-probabilities of the token after `token_ids`."""
        hidden = self.weights["token_embd.weight"][token_ids]
        for block in range(self.blocks):
            hidden = hidden + self._attention(self._norm(hidden, f"blk.{block}.attn_norm"), block)
            hidden = hidden + self._feed_forward(self._norm(hidden, f"blk.{block}.ffn_norm"), block)
        last = self._norm(hidden[-1:], "output_norm")[0]
        head = self.weights.get("output.weight", self.weights["token_embd.weight"])
        logits = head @ last
        return logits - np.log(np.exp(logits - logits.max()).sum()) - logits.max()

    def _norm(self, x: Array, name: str) -> Array:
        scale = np.sqrt((x * x).mean(axis=-1, keepdims=True) + self.epsilon)
        return x / scale * self.weights[f"{name}.weight"]

    def _attention(self, x: Array, block: int) -> Array:
        count = len(x)
        query = self._rotated(self._linear(x, f"blk.{block}.attn_q"), self.heads)
        key = self._rotated(self._linear(x, f"blk.{block}.attn_k"), self.kv_heads)
        value = self._linear(x, f"blk.{block}.attn_v").reshape(count, self.kv_heads, -1)
        group = self.heads // self.kv_heads
        key, value = np.repeat(key, group, axis=1), np.repeat(value, group, axis=1)
        scores = np.einsum("qhd,khd->hqk", query, key) / np.sqrt(query.shape[-1])
        scores += np.triu(np.full((count, count), -np.inf, dtype=np.float32), 1)
        weights = np.exp(scores - scores.max(axis=-1, keepdims=True))
        weights /= weights.sum(axis=-1, keepdims=True)
        mixed = np.einsum("hqk,khd->qhd", weights, value).reshape(count, -1)
        return self._linear(mixed, f"blk.{block}.attn_output")

    def _feed_forward(self, x: Array, block: int) -> Array:
        gate = self._linear(x, f"blk.{block}.ffn_gate")
        up = self._linear(x, f"blk.{block}.ffn_up")
        return self._linear(gate / (1 + np.exp(-gate)) * up, f"blk.{block}.ffn_down")

    def _linear(self, x: Array, name: str) -> Array:
        return x @ self.weights[f"{name}.weight"].T

    def _rotated(self, x: Array, heads: int) -> Array:
        """Rotary positions on neighbouring pairs, as GGUF stores llama's heads."""
        x = x.reshape(len(x), heads, -1)
        size = x.shape[-1]
        rates = self.base ** (-np.arange(0, size, 2) / size)
        angles = (np.arange(len(x))[:, None] * rates)[:, None, :]
        cos, sin = np.cos(angles), np.sin(angles)
        even, odd = x[..., 0::2], x[..., 1::2]
        pairs = np.stack([even * cos - odd * sin, even * sin + odd * cos], axis=-1)
        return pairs.reshape(x.shape).astype(np.float32)


def main() -> None:
    """Print the most likely first token of each question with its log-probability."""
    parser = argparse.ArgumentParser(description="Reference log-probabilities of a GGUF model.")
    parser.add_argument("file", type=Path)
    path = parser.parse_args().file
    genai = import_engine()
    loaded = genai.ContinuousBatchingPipeline(path, genai.SchedulerConfig(), "CPU", {})
    tokenizer = loaded.get_tokenizer()
    model = Llama(path)
    for question in QUESTIONS:
        turns = [{"role": "user", "content": question}]
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        token_ids = tokenizer.encode(text, add_special_tokens=False).input_ids
        logprobs = model.next_logprobs([int(i) for i in np.array(token_ids.data).ravel()])
        best = int(logprobs.argmax())
        print(f"{question!r}: {tokenizer.decode([best])!r} {logprobs[best]:.4f}")


if __name__ == "__main__":
    main()
