"""What lies on the shelf. `owner`: id of the key that put it there, empty where keys are off.

Times are Unix seconds.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

BatchStatus = Literal[
    "validating",
    "failed",
    "in_progress",
    "finalizing",
    "completed",
    "expired",
    "cancelling",
    "cancelled",
]

UNDER_WAY: frozenset[BatchStatus] = frozenset(
    {"validating", "in_progress", "finalizing", "cancelling"}
)
"""States of a batch that somebody has still to work on."""


class KeptResponse(Struct, frozen=True, kw_only=True):
    """A response: `items` are its input as a JSON array, `body` is the response object.

    `previous`: id of the one it goes on from.
    """

    id: str
    owner: str
    created_at: float
    items: bytes
    body: bytes
    previous: str | None = None


class KeptFile(Struct, frozen=True, kw_only=True):
    """A file without its content. `batch`: of which it is the output or the errors, if of any."""

    id: str
    owner: str
    created_at: float
    filename: str
    purpose: str
    size: int
    expires_at: float | None = None
    batch: str | None = None


class LineFault(Struct, frozen=True, kw_only=True):
    """Why a batch cannot run: `line` counts from 1, None where it is about the whole file."""

    code: str
    message: str
    line: int | None = None
    param: str | None = None


class Counts(Struct, frozen=True, kw_only=True):
    """How far a batch has come; tokens are of the answered lines."""

    completed: int = 0
    failed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0


class Batch(Struct, frozen=True, kw_only=True):
    """A batch. `at`: when it came into each state; `total`: requests in it.

    `output_lasts_s`: how long its files are kept, None as long as others. `counts`: how far it
    came, once it is over.
    """

    id: str
    owner: str
    created_at: float
    expires_at: float
    endpoint: str
    input_file: str
    status: BatchStatus = "validating"
    at: dict[str, float] = {}
    metadata: dict[str, str] | None = None
    faults: tuple[LineFault, ...] = ()
    total: int = 0
    output_lasts_s: float | None = None
    counts: Counts | None = None

    @property
    def output_file(self) -> str:
        """Id of the file with the answers."""
        return f"file-{self.id.removeprefix('batch_')}out"

    @property
    def error_file(self) -> str:
        """Id of the file with the errors."""
        return f"file-{self.id.removeprefix('batch_')}err"


def written_file(batch: Batch, *, good: bool, size: int) -> KeptFile:
    """The file of a batch that is over: of its answers where `good`, else of its errors."""
    ended_at = max(batch.at.values(), default=batch.created_at)
    lasts_s = batch.output_lasts_s
    return KeptFile(
        id=batch.output_file if good else batch.error_file,
        owner=batch.owner,
        created_at=ended_at,
        filename=f"{batch.id}_{'output' if good else 'error'}.jsonl",
        purpose="batch_output",
        size=size,
        expires_at=None if lasts_s is None else ended_at + lasts_s,
        batch=batch.id,
    )


class Line(Struct, frozen=True, kw_only=True):
    """One request of a batch. `number` counts from 1; `body`: of the request, JSON."""

    number: int
    custom_id: str
    body: bytes


class LineAnswer(Struct, frozen=True, kw_only=True):
    """What came of a line: a line of the output file, or of the error file where not `good`."""

    number: int
    good: bool
    text: bytes
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    reasoning_tokens: int = 0


class Page(Struct, frozen=True, kw_only=True):
    """Which part of a list is wanted: at most `limit` after the entry with the id `after`."""

    limit: int = 20
    after: str | None = None
    newest_first: bool = True
