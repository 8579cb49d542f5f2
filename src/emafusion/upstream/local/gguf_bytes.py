"""Reads the head of a GGUF file from its bytes: the fields, and where each tensor lies.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 2 and 3, little-endian).
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import BinaryIO, TypeAlias

Value: TypeAlias = int | float | bool | str | list["Value"]

_SCALARS = dict(enumerate("BbHhIif?", start=0)) | {10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_MAX_ITEMS = 4_000_000  # far above any vocabulary: a damaged count must not exhaust memory
_MAX_BYTES = 64_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPlace:
    """A tensor's ggml type number, its number of values, and its offset in the data part."""

    kind: int
    count: int
    offset: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """Everything before the data. `data_start`: offset of the data part in the file, in bytes."""

    fields: dict[str, Value]
    tensors: tuple[TensorPlace, ...]
    data_start: int


def read_head(file: BinaryIO) -> Head:
    """Read a head; raises `ValueError` for bytes that are not one, or end too early.

    No damaged count makes it use more memory than some tens of megabytes.
    """
    return _Reader(file).head()


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def head(self) -> Head:
        if self._file.read(4) != b"GGUF":
            raise ValueError("it does not begin with the letters GGUF")
        version = self._integer("I")
        if version not in (2, 3):
            raise ValueError(f"GGUF version {version}, known are 2 and 3")
        tensors, pairs = self._count(), self._count()
        fields = {self._text(): self._value(self._integer("I")) for _ in range(pairs)}
        places = tuple(self._tensor() for _ in range(tensors))
        alignment = fields.get("general.alignment", 32)
        step = alignment if isinstance(alignment, int) and alignment > 0 else 32
        return Head(fields=fields, tensors=places, data_start=-(-self._file.tell() // step) * step)

    def _bytes(self, size: int) -> bytes:
        if size > _MAX_BYTES:
            raise ValueError(f"a part of {size} bytes")
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("it ends early")
        return data

    def _number(self, form: str) -> int | float | bool:
        number: int | float | bool = struct.unpack(f"<{form}", self._bytes(struct.calcsize(form)))[
            0
        ]
        return number

    def _integer(self, form: str) -> int:
        return int(self._number(form))

    def _count(self) -> int:
        count = self._integer("Q")
        if count > _MAX_ITEMS:
            raise ValueError(f"a count of {count}")
        return count

    def _text(self) -> str:
        return self._bytes(self._integer("Q")).decode("utf-8", errors="replace")

    def _value(self, kind: int) -> Value:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise ValueError(f"value type {kind}")
        return self._number(_SCALARS[kind])

    def _array(self) -> list[Value]:
        kind = self._integer("I")
        size = self._count()
        if kind not in _SCALARS:
            return [self._value(kind) for _ in range(size)]
        form = _SCALARS[kind]
        return list(struct.unpack(f"<{size}{form}", self._bytes(size * struct.calcsize(form))))

    def _tensor(self) -> TensorPlace:
        self._text()
        dimensions = self._integer("I")
        if dimensions > 8:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        sizes = [self._integer("Q") for _ in range(dimensions)]
        kind, offset = self._integer("I"), self._integer("Q")
        return TensorPlace(kind=kind, count=math.prod(sizes), offset=offset)
