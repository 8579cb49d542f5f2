"""Errors in OpenAI's shape: what a server's mean, and how ours are written."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.domain.errors import BadInput, Denied, EmafusionError, Failure, RateLimited
from emafusion.wire.trouble import Trouble, plain_text


class _Error(Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | None = None


class _Body(Struct):
    error: Raw = Raw()
    message: str | None = None
    detail: Raw = Raw()
    type: str | None = None
    code: str | int | None = None


def read_trouble(body: bytes, /) -> Trouble:
    """Read an error body: OpenAI's, or one of the many that are nearly like it."""
    try:
        outer = msgspec.json.decode(body, type=_Body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Trouble(message=plain_text(body))
    return _inner(bytes(outer.error)) or _outer(outer, body)


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


def _type(error: EmafusionError) -> str:
    if isinstance(error, Denied):
        return "authentication_error"
    if isinstance(error, RateLimited):
        return "rate_limit_error"
    return "invalid_request_error" if status_of(error) < 500 else "server_error"


def _inner(raw: bytes) -> Trouble | None:
    """Read the object (or plain text) inside `error`."""
    if raw in (b"", b"null"):
        return None
    try:
        error = msgspec.json.decode(raw, type=_Error | str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Trouble(message=plain_text(raw))
    if isinstance(error, str):
        return Trouble(message=error)
    return Trouble(
        message=error.message or plain_text(raw),
        codes=_codes(error.code, error.type, error.status),
    )


def _outer(body: _Body, raw: bytes) -> Trouble:
    """Read a body without `error`, such as vLLM's or FastAPI's."""
    detail = bytes(body.detail)
    message = body.message or plain_text(detail or raw)
    return Trouble(message=message, codes=_codes(body.code, body.type))


def _codes(*codes: str | int | None) -> tuple[str, ...]:
    return tuple(str(code) for code in codes if code)
