"""Our errors in OpenAI's shape."""

from __future__ import annotations

import msgspec

from emafusion.domain.errors import BadInput, Denied, EmafusionError, Failure, RateLimited


def encode_error(error: EmafusionError, /) -> tuple[int, bytes]:
    """HTTP status and body of an error, in OpenAI's shape.

    >>> encode_error(BadInput("is required", where="model"))[0]
    400
    """
    return status_of(error), msgspec.json.encode({"error": error_object(error)})


def status_of(error: EmafusionError, /) -> int:
    """HTTP status that the client gets."""
    return error.client_status if isinstance(error, Failure) else error.status


def error_object(error: EmafusionError, /) -> dict[str, object]:
    """Make the object inside `error`."""
    return {
        "message": str(error),
        "type": _type(error),
        "param": error.where if isinstance(error, BadInput) else None,
        "code": error.code,
    }


_TYPES = {
    "insufficient_quota": "insufficient_quota",
    "rate_limit_exceeded": "rate_limit_error",
    "not_allowed": "permission_error",
}
"""Code -> type, where clients look for one of its own."""


def _type(error: EmafusionError) -> str:
    if isinstance(error, Denied):
        return "authentication_error"
    if isinstance(error, RateLimited):
        return "rate_limit_error"
    if error.code in _TYPES:
        return _TYPES[error.code]
    return "invalid_request_error" if status_of(error) < 500 else "server_error"
