"""What a GGUF file says of itself, and whether the engine reads its numbers right."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .errors import EngineError
from .gguf_bytes import Head, TensorPlace, Value, read_head

_CONTROL_TOKEN = 3

# ggml type numbers that the engine reads right (benchmarks/gguf_types.py). Q4_1 and Q4_K it reads
# without an error as another, worse model, others it refuses: what is not listed is requantised.
FAITHFUL_TYPES = {0: "F32", 1: "F16", 2: "Q4_0", 8: "Q8_0", 14: "Q6_K"}


# Values and bytes of one block of these types, to tell a file that was cut short.
_BLOCKS = {0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 8: (32, 34), 14: (256, 210)}


@dataclass(frozen=True, slots=True, kw_only=True)
class GgufHeader:
    """What a GGUF file says of itself.

    `context_tokens`: prompt and answer together. `turn_markers`: control tokens of its chat
    template.
    """

    architecture: str
    name: str
    context_tokens: int
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
            head = read_head(file)
        _check_size(head, path.stat().st_size)
        return _described(head, fallback_name=path.stem)
    except OSError as error:
        reason = error.strerror or error
        raise EngineError(f"model file {path}: {reason}; name an existing GGUF file") from error
    except (ValueError, RecursionError) as error:
        raise EngineError(
            f"model file {path}: not a complete GGUF file ({error}); download it again"
        ) from error


def _check_size(head: Head, size: int) -> None:
    ends = [tensor.offset + _bytes_of(tensor) for tensor in head.tensors]
    if head.data_start + max(ends, default=0) > size:
        raise ValueError("it ends early")


def _bytes_of(tensor: TensorPlace) -> int:
    """Bytes of a tensor; for types of unknown size at least one."""
    values, size = _BLOCKS.get(tensor.kind, (tensor.count or 1, 1))
    return tensor.count * size // values


def _described(head: Head, *, fallback_name: str) -> GgufHeader:
    fields = head.fields
    architecture = fields.get("general.architecture")
    if not isinstance(architecture, str):
        raise ValueError("it names no architecture")  # noqa: TRY004 - the file is wrong
    context = fields.get(f"{architecture}.context_length")
    name = fields.get("general.name")
    return GgufHeader(
        architecture=architecture,
        name=name if isinstance(name, str) else fallback_name,
        context_tokens=context if isinstance(context, int) and context > 0 else 2048,
        turn_markers=_turn_markers(fields),
        tensor_types=frozenset(tensor.kind for tensor in head.tensors),
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
