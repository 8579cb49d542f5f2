"""A GGUF file that the engine would misread, rewritten as one it reads right.

OpenVINO reads Q4_1 without an error and gives a different, worse model; 8-bit values keep what
4-bit ones hold.
"""

from __future__ import annotations

import hashlib
import importlib
import os
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from .errors import EngineError
from .gguf_header import FAITHFUL_TYPES, read_header

if TYPE_CHECKING:
    from gguf import GGUFReader, GGUFWriter
    from gguf.gguf_reader import ReaderTensor

Progress: TypeAlias = Callable[[int, int], None]

_FILE_TYPE_Q8_0 = 7  # how GGUF numbers "mostly Q8_0"


def readable(model: Path, cache_dir: Path, *, warn: Callable[[str], None]) -> Path:
    """`model` if the engine reads it right, else a Q8_0 copy in `cache_dir`, made once.

    Raises `EngineError` for a file that is missing or damaged, or when the copy cannot be written.
    """
    header = read_header(model)
    if not header.needs_requantising:
        return model
    copy = cache_dir / f"{model.stem}-{sha256_of(model)[:16]}.q8_0.gguf"
    if not copy.exists():
        warn(f"{model.name}: the engine misreads its number format; writing a Q8_0 copy: {copy}")
        requantise(model, copy)
    return copy


def sha256_of(path: Path) -> str:
    """Hexadecimal SHA-256 of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def requantise(source: Path, target: Path, *, progress: Progress | None = None) -> None:
    """Write `source` to `target`, whole or not at all, the tensors that are misread as Q8_0.

    Memory stays near that of the largest tensor in float32 twice. `progress` gets (tensors done,
    tensors in all).
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    try:
        _write(source, partial, progress or _silent)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        partial.replace(target)
    except OSError as error:
        raise EngineError(
            f"{target}: cannot write the Q8_0 copy ({error.strerror or error})"
        ) from error
    except (ValueError, NotImplementedError) as error:  # gguf's words for what it cannot read
        raise EngineError(
            f"{source}: cannot be requantised ({error}); use a Q8_0 file of this model"
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def _silent(_done: int, _total: int) -> None:
    """No progress shown."""


def _write(source: Path, target: Path, progress: Progress) -> None:
    gguf = _import_gguf()
    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, str(reader.fields["general.architecture"].contents()))
    _copy_fields(reader, writer)
    for tensor in reader.tensors:
        _declare(tensor, writer)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for done, tensor in enumerate(reader.tensors, start=1):
        writer.write_tensor_data(_converted(tensor))
        progress(done, len(reader.tensors))
    writer.close()


def _copy_fields(reader: GGUFReader, writer: GGUFWriter) -> None:
    from gguf import GGUFValueType

    for key, field in reader.fields.items():
        if key == "general.architecture" or key.startswith("GGUF."):  # the writer sets these itself
            continue
        value = _FILE_TYPE_Q8_0 if key == "general.file_type" else field.contents()
        of_items = field.types[-1] if field.types[0] == GGUFValueType.ARRAY else None
        writer.add_key_value(key, value, field.types[0], sub_type=of_items)


def _declare(tensor: ReaderTensor, writer: GGUFWriter) -> None:
    from gguf import GGMLQuantizationType, quants

    if not _changes(tensor):
        raw = tensor.tensor_type
        writer.add_tensor_info(
            tensor.name, tensor.data.shape, tensor.data.dtype, tensor.data.nbytes, raw_dtype=raw
        )
        return
    kind = GGMLQuantizationType.Q8_0
    shape = quants.quant_shape_to_byte_shape(tuple(reversed(tensor.shape.tolist())), kind)
    writer.add_tensor_info(
        tensor.name, shape, np.dtype(np.uint8), int(np.prod(shape)), raw_dtype=kind
    )


def _converted(tensor: ReaderTensor) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    from gguf import GGMLQuantizationType, quants

    if not _changes(tensor):
        return np.asarray(tensor.data)
    exact = quants.dequantize(tensor.data, tensor.tensor_type)
    return np.asarray(quants.quantize(exact, GGMLQuantizationType.Q8_0))


def _changes(tensor: ReaderTensor) -> bool:
    return tensor.tensor_type.value not in FAITHFUL_TYPES


def _import_gguf() -> ModuleType:
    try:
        return importlib.import_module("gguf")
    except ImportError as error:
        raise EngineError(
            f"to requantise a model file gguf is needed ({error}): pip install 'emafusion[local]'"
        ) from error
