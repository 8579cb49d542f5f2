"""Our errors in Anthropic's shape."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from emafusion.domain.errors import EmafusionError, Failure

_TYPES: Mapping[int, str] = {
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def encode_error(error: EmafusionError, /) -> tuple[int, bytes]:
    """HTTP status and body of an error, in Anthropic's shape.

    >>> from emafusion.domain.errors import BadInput
    >>> encode_error(BadInput("is required", where="model"))[0]
    400
    """
    status = status_of(error)
    return status, msgspec.json.encode(error_object(error))


def status_of(error: EmafusionError, /) -> int:
    """HTTP status that the client gets."""
    return error.client_status if isinstance(error, Failure) else error.status


def error_object(error: EmafusionError, /) -> dict[str, object]:
    """Make the whole body, which is also the data of an `error` event."""
    status = status_of(error)
    kind = _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")
    return {"type": "error", "error": {"type": kind, "message": str(error)}}
