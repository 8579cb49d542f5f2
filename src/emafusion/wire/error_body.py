"""Error bodies of providers in one form: what was said, by which codes, how long to wait."""

from __future__ import annotations

import msgspec
from msgspec import Raw, Struct

from emafusion.wire.patience import duration_s
from emafusion.wire.trouble import Trouble, plain_text


class _Detail(Struct):
    reason: str | None = None
    retry_delay: str | None = msgspec.field(default=None, name="retryDelay")


class _Error(Struct):
    message: str | None = None
    type: str | None = None
    code: str | int | None = None
    status: str | None = None
    details: Raw = Raw()


class _Body(Struct):
    error: Raw = Raw()
    message: str | None = None
    detail: Raw = Raw()
    type: str | None = None
    code: str | int | None = None


def read_trouble(body: bytes, /) -> Trouble:
    """Read an error body: OpenAI's, Anthropic's, Gemini's or one of the many that are nearly so.

    >>> read_trouble(b'{"error": {"message": "busy", "type": "overloaded_error"}}').codes
    ('overloaded_error',)
    """
    try:
        found = _body(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return Trouble(message=plain_text(body))
    return _inner(bytes(found.error)) or _outer(found, body)


def _body(body: bytes) -> _Body:
    """Decode; Gemini wraps the errors of some methods into a list."""
    if not body.lstrip().startswith(b"["):
        return msgspec.json.decode(body, type=_Body)
    bodies = msgspec.json.decode(body, type=list[_Body])
    return bodies[0] if bodies else _Body()


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
    details = _details(bytes(error.details))
    reasons = [detail.reason for detail in details]
    delays = [detail.retry_delay for detail in details if detail.retry_delay]
    return Trouble(
        message=error.message or plain_text(raw),
        codes=_codes(*reasons, error.code, error.status, error.type),
        wait_s=duration_s(delays[0]) if delays else None,
    )


def _details(raw: bytes) -> list[_Detail]:
    """Read Google's list of details; whatever else stands there is left alone."""
    try:
        return msgspec.json.decode(raw, type=list[_Detail]) if raw.startswith(b"[") else []
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return []


def _outer(body: _Body, raw: bytes) -> Trouble:
    """Read a body without `error`, such as vLLM's or FastAPI's."""
    detail = bytes(body.detail)
    message = body.message or plain_text(detail or raw)
    return Trouble(message=message, codes=_codes(body.code, body.type))


def _codes(*codes: str | int | None) -> tuple[str, ...]:
    return tuple(str(code) for code in codes if code)
