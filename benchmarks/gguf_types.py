"""Which number formats of GGUF the engine reads right.

    python benchmarks/gguf_types.py FILE.q8_0.gguf

Rewrites a llama-like Q8_0 model in each format, loads it directly, and compares first-token
log-probabilities with a plain 32-bit forward pass of the very same file. Formats with blocks of
256 are used for the `ffn_down` matrices alone, whose rows have the length for it. One minute a
format. `FAITHFUL_TYPES` in the package is what was found equal here.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType as Kind
from gguf import GGUFReader, GGUFValueType, GGUFWriter, quants
from reference_logprobs import QUESTIONS, Array, Llama

from emafusion.upstream.local.errors import EngineError
from emafusion.upstream.local.genai_pipeline import EngineOptions, load_pipeline
from emafusion.upstream.local.generation import Message, Sampling

_BY_GGUF = (Kind.F16, Kind.BF16, Kind.Q4_0, Kind.Q4_1, Kind.Q5_0, Kind.Q8_0)


def as_q6_k(values: Array) -> Array:
    """Blocks of 256: 16 scales of 8 bits, values of 6 bits about zero."""
    blocks = values.reshape(-1, 16, 16)
    scale = np.abs(blocks).max(axis=-1) / 31
    step = np.maximum((scale.max(axis=-1, keepdims=True) / 127).astype(np.float16), 1e-7)
    scales = np.clip(np.rint(scale / step), 1, 127)
    q = np.clip(np.rint(blocks / (step * scales)[:, :, None]), -32, 31).astype(np.int16) + 32
    a, b, c, d = np.moveaxis(q.reshape(-1, 2, 4, 32).astype(np.uint8), 2, 0)
    low = np.concatenate([(a & 15) | ((c & 15) << 4), (b & 15) | ((d & 15) << 4)], axis=-1)
    high = (a >> 4) | ((b >> 4) << 2) | ((c >> 4) << 4) | ((d >> 4) << 6)
    parts = (low.reshape(-1, 128), high.reshape(-1, 64), scales.astype(np.int8).view(np.uint8))
    packed = np.concatenate([*parts, step.astype(np.float16).view(np.uint8)], axis=1)
    return packed.reshape(*values.shape[:-1], -1)


def as_q4_k(values: Array) -> Array:
    """Blocks of 256: 8 scales and 8 minima of 6 bits, values of 4 bits above the minimum."""
    blocks = values.reshape(-1, 8, 32)
    minimum = -np.minimum(blocks.min(axis=-1), 0)
    scale = (blocks.max(axis=-1) + minimum) / 15
    step, floor = (
        np.maximum((part.max(axis=-1, keepdims=True) / 63).astype(np.float16), 1e-7)
        for part in (scale, minimum)
    )
    s = np.clip(np.rint(scale / step), 0, 63).astype(np.uint8)
    m = np.clip(np.rint(minimum / floor), 0, 63).astype(np.uint8)
    unit = np.maximum((step * s)[:, :, None], 1e-7)
    q = np.clip(np.rint((blocks + (floor * m)[:, :, None]) / unit), 0, 15).astype(np.uint8)
    packed_scales = np.concatenate(
        [
            s[:, :4] | ((s[:, 4:] >> 4) << 6),
            m[:, :4] | ((m[:, 4:] >> 4) << 6),
            (s[:, 4:] & 15) | ((m[:, 4:] & 15) << 4),
        ],
        axis=1,
    )
    halves = [part.astype(np.float16).view(np.uint8) for part in (step, floor)]
    packed = np.concatenate(
        [*halves, packed_scales, (q[:, 0::2] | (q[:, 1::2] << 4)).reshape(-1, 128)], axis=1
    )
    return packed.reshape(*values.shape[:-1], -1)


def rewrite(source: Path, target: Path, *, kind: Kind, encode: Callable[[Array], Array]) -> None:
    """Write the model with its matrices in another format."""
    reader, writer = GGUFReader(source), GGUFWriter(target, "llama")
    for key, field in reader.fields.items():
        if key != "general.architecture" and not key.startswith("GGUF."):
            inner = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
            writer.add_key_value(key, field.contents(), field.types[0], sub_type=inner)
    only = "ffn_down" if kind in {Kind.Q4_K, Kind.Q6_K} else "blk."
    for tensor in reader.tensors:
        if tensor.tensor_type == Kind.Q8_0 and only in tensor.name:
            data = encode(quants.dequantize(tensor.data, Kind.Q8_0))
            writer.add_tensor(tensor.name, data, raw_dtype=kind)
        else:
            writer.add_tensor(tensor.name, tensor.data, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def largest_difference(path: Path) -> float:
    """Between the engine's first-token log-probability and that of a plain forward pass."""
    pipeline = load_pipeline(path, EngineOptions(exact=True))
    model = Llama(path)
    differences: list[float] = []
    for question in QUESTIONS:
        prompt = pipeline.encode((Message(role="user", content=question),))
        handle = pipeline.add(prompt, Sampling(max_tokens=1))
        drafts = []
        while pipeline.busy:
            pipeline.step()
            drafts += handle.read()
        ids = [int(token_id) for token_id in np.array(prompt.input_ids.data).ravel()]
        plain = model.next_logprobs(ids)[drafts[0].token_ids[0]]
        differences.append(abs(float(plain) - drafts[0].logprobs[0]))
    return max(differences)


def main() -> None:
    """Print a line a format."""
    source = Path(sys.argv[1])
    encoders = {kind: lambda values, kind=kind: quants.quantize(values, kind) for kind in _BY_GGUF}
    encoders |= {Kind.Q6_K: as_q6_k, Kind.Q4_K: as_q4_k}
    with tempfile.TemporaryDirectory() as folder:
        for kind, encode in encoders.items():
            path = Path(folder) / f"{kind.name}.gguf"
            rewrite(source, path, kind=kind, encode=encode)
            try:
                print(f"{kind.name:6} differs by {largest_difference(path):.4f}", flush=True)
            except EngineError as error:
                print(f"{kind.name:6} refused: {str(error).rpartition(': ')[2]}", flush=True)
            path.unlink()


if __name__ == "__main__":
    main()
