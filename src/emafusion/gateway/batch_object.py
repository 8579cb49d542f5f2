"""A batch as the API tells of it."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.store.shelf.kept import UNDER_WAY, Batch, Counts

_TIMES = (
    "in_progress",
    "finalizing",
    "completed",
    "failed",
    "expired",
    "cancelling",
    "cancelled",
)


def batch_object(batch: Batch, counts: Counts) -> Mapping[str, object]:
    """The object; its files are named when they are there."""
    is_over = batch.status not in UNDER_WAY
    faults = [
        {"code": fault.code, "line": fault.line, "message": fault.message, "param": fault.param}
        for fault in batch.faults
    ]
    told: dict[str, object] = {
        "id": batch.id,
        "object": "batch",
        "endpoint": batch.endpoint,
        "errors": {"object": "list", "data": faults} if faults else None,
        "input_file_id": batch.input_file,
        "completion_window": "24h",
        "status": batch.status,
        "output_file_id": batch.output_file if is_over and counts.completed else None,
        "error_file_id": batch.error_file if is_over and counts.failed else None,
        "created_at": int(batch.created_at),
        "expires_at": int(batch.expires_at),
        "request_counts": {
            "total": batch.total,
            "completed": counts.completed,
            "failed": counts.failed,
        },
        "metadata": batch.metadata,
        "usage": _usage(counts),
    }
    return told | {f"{name}_at": _time(batch, name) for name in _TIMES}


def _time(batch: Batch, name: str) -> int | None:
    at = batch.at.get(name)
    return None if at is None else int(at)


def _usage(counts: Counts) -> Mapping[str, object]:
    return {
        "input_tokens": counts.prompt_tokens,
        "input_tokens_details": {"cached_tokens": counts.cached_tokens},
        "output_tokens": counts.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": counts.reasoning_tokens},
        "total_tokens": counts.prompt_tokens + counts.completion_tokens,
    }
