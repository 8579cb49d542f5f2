"""Our errors in Google's shape."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from emafusion.domain.errors import EmafusionError, Failure

_STATUSES: Mapping[int, str] = {
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    409: "ABORTED",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    500: "INTERNAL",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
_RETRY = "type.googleapis.com/google.rpc.RetryInfo"


def encode_error(error: EmafusionError, /) -> tuple[int, bytes]:
    """HTTP status and body of an error, in Google's shape.

    >>> from emafusion.domain.errors import BadInput
    >>> encode_error(BadInput("is required", where="contents"))[0]
    400
    """
    status = error.client_status if isinstance(error, Failure) else error.status
    return status, msgspec.json.encode(error_object(error, status))


def error_object(error: EmafusionError, status: int, /) -> dict[str, object]:
    """Make the whole body, which is also an event of a stream."""
    told: dict[str, object] = {
        "code": status,
        "message": str(error),
        "status": _STATUSES.get(status, "INVALID_ARGUMENT" if status < 500 else "INTERNAL"),
    }
    wait_s = error.retry_after_s if isinstance(error, Failure) else None
    if wait_s is not None:
        told["details"] = [{"@type": _RETRY, "retryDelay": f"{wait_s:g}s"}]
    return {"error": told}
