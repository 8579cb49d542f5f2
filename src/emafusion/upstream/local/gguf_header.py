"""The head of a GGUF file: what it holds and how its numbers are stored.

Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md (version 2 and 3, little-endian).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from .errors import EngineError

Value: TypeAlias = int | float | bool | str | list["Value"]

_SCALARS = {
    0: "<B",
    1: "<b",
    2: "<H",
    3: "<h",
    4: "<I",
    5: "<i",
    6: "<f",
    7: "<?",
    10: "<Q",
    11: "<q",
    12: "<d",
}
_STRING, _ARRAY = 8, 9
_CONTROL_TOKEN = 3
_MAX_ITEMS = 4_000_000  # far above any vocabulary: a damaged count must not exhaust memory
_MAX_TEXT_BYTES = 16_000_000

# ggml type numbers the engine is known to read right. Q4_1 is read without an error and gives
# another, worse model; whatever is not listed is requantised first.
FAITHFUL_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 8: "Q8_0", 14: "Q6_K"}


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What a GGUF file says of itself.

    `context_tokens`: prompt and answer together. `turn_markers`: control tokens of its chat
    template.
    """

    architecture: str
    name: str
    context_tokens: int
    has_chat_template: bool
    turn_markers: frozenset[str]
    tensor_types: frozenset[int]

    @property
    def needs_requantising(self) -> bool:
        """Whether some tensor is stored in a way that the engine misreads or refuses."""
        return not self.tensor_types <= FAITHFUL_TYPES.keys()


def read_header(path: Path) -> GgufHeader:
    """Read the head of a file; raises `EngineError` if it is missing, damaged or not GGUF."""
    try:
        with path.open("rb") as file:
            return _Reader(file).header(path)
    except OSError as error:
        raise EngineError(
            f"model file {path}: {error.strerror or error}; name an existing GGUF file"
        ) from error
    except (struct.error, UnicodeDecodeError, ValueError) as error:
        raise EngineError(
            f"model file {path}: not a complete GGUF file ({error}); download it again"
        ) from error


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def header(self, path: Path) -> GgufHeader:
        if self._file.read(4) != b"GGUF":
            raise ValueError("it does not begin with the letters GGUF")
        version = self._number("<I")
        if version not in (2, 3):
            raise ValueError(f"GGUF version {version}, known are 2 and 3")
        tensors, pairs = self._count(), self._count()
        fields = {self._text(): self._value(self._integer("<I")) for _ in range(pairs)}
        types = frozenset(self._tensor_type() for _ in range(tensors))
        return _describe(fields, types, fallback_name=path.stem)

    def _number(self, form: str) -> int | float | bool:
        data = self._file.read(struct.calcsize(form))
        number: int | float | bool = struct.unpack(form, data)[0]
        return number

    def _integer(self, form: str) -> int:
        return int(self._number(form))

    def _count(self) -> int:
        count = self._integer("<Q")
        if count > _MAX_ITEMS:
            raise ValueError(f"a count of {count}")
        return count

    def _text(self) -> str:
        size = self._integer("<Q")
        if size > _MAX_TEXT_BYTES:
            raise ValueError(f"a text of {size} bytes")
        data = self._file.read(size)
        if len(data) != size:
            raise ValueError("it ends early")
        return data.decode("utf-8", errors="replace")

    def _value(self, kind: int) -> Value:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise ValueError(f"value type {kind}")
        return self._number(_SCALARS[kind])

    def _array(self) -> list[Value]:
        kind = self._integer("<I")
        size = self._count()
        if kind not in _SCALARS:
            return [self._value(kind) for _ in range(size)]
        form = _SCALARS[kind]
        data = self._file.read(size * struct.calcsize(form))
        return list(struct.unpack(f"<{size}{form[1]}", data))

    def _tensor_type(self) -> int:
        self._text()
        dimensions = self._integer("<I")
        if dimensions > 8:
            raise ValueError(f"a tensor of {dimensions} dimensions")
        self._file.read(8 * dimensions)
        kind = self._integer("<I")
        self._file.read(8)
        return kind


def _describe(
    fields: dict[str, Value], tensor_types: frozenset[int], *, fallback_name: str
) -> GgufHeader:
    architecture = fields.get("general.architecture")
    if not isinstance(architecture, str):
        raise ValueError("it names no general.architecture")  # noqa: TRY004 - the file is wrong, not a type
    context = fields.get(f"{architecture}.context_length")
    name = fields.get("general.name")
    return GgufHeader(
        architecture=architecture,
        name=name if isinstance(name, str) else fallback_name,
        context_tokens=context if isinstance(context, int) and context > 0 else 2048,
        has_chat_template="tokenizer.chat_template" in fields,
        turn_markers=_turn_markers(fields),
        tensor_types=tensor_types,
    )


def _turn_markers(fields: dict[str, Value]) -> frozenset[str]:
    tokens, kinds = fields.get("tokenizer.ggml.tokens"), fields.get("tokenizer.ggml.token_type")
    template = fields.get("tokenizer.chat_template")
    if not (isinstance(tokens, list) and isinstance(kinds, list) and isinstance(template, str)):
        return frozenset()
    control = (token for token, kind in zip(tokens, kinds, strict=False) if kind == _CONTROL_TOKEN)
    return frozenset(
        token
        for token in control
        if isinstance(token, str) and len(token) > 2 and token in template
    )
