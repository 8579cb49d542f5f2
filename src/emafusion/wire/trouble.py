"""What a provider's error means for us, whatever its dialect: the fitting Failure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emafusion.domain.errors import (
    ContextTooLong,
    Failure,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
)
from emafusion.wire.mask import mask
from emafusion.wire.patience import retry_after_s

_TOO_LONG = re.compile(
    r"context[ _-]?(?:length|window|size)|maximum context|too many (?:input )?tokens"
    r"|(?:prompt|input|request|message)s? (?:is|are) too (?:long|large)|request too large"
    r"|(?:token count|number of tokens|input tokens?)\b.{0,60}\bexceed|exceeds? the (?:maximum|max)"
    r" (?:number of )?tokens|reduce the length of the (?:messages|prompt|input)",
    re.IGNORECASE,
)
_NO_MONEY = re.compile(
    r"insufficient[ _](?:balance|funds|credit)|credit balance|payment required",
    re.IGNORECASE,
)
_BY_STATUS: Mapping[int, type[Failure]] = {
    401: Unauthorized,
    402: Unauthorized,
    403: Unauthorized,
    407: Unauthorized,
    408: TimedOut,
    # A conflict or a "too early" clears up by itself.
    409: Overloaded,
    413: ContextTooLong,
    425: Overloaded,
    429: RateLimited,
    504: TimedOut,
    522: TimedOut,
    524: TimedOut,
}
_BY_CODE: Mapping[str, type[Failure]] = {
    "context_length_exceeded": ContextTooLong,
    "string_above_max_length": ContextTooLong,
    "request_too_large": ContextTooLong,
    "rate_limit_exceeded": RateLimited,
    "rate_limit_error": RateLimited,
    "resource_exhausted": RateLimited,
    "insufficient_quota": Unauthorized,
    "invalid_api_key": Unauthorized,
    "api_key_invalid": Unauthorized,
    "authentication_error": Unauthorized,
    "permission_error": Unauthorized,
    "permission_denied": Unauthorized,
    "unauthenticated": Unauthorized,
    "billing_error": Unauthorized,
    "overloaded_error": Overloaded,
    "api_error": Overloaded,
    "server_error": Overloaded,
    "internal_server_error": Overloaded,
    "internal": Overloaded,
    "unavailable": Overloaded,
    "engine_overloaded": Overloaded,
    "insufficient_system_resource": Overloaded,
    "timeout": TimedOut,
    "timeout_error": TimedOut,
    "deadline_exceeded": TimedOut,
    "invalid_request_error": Rejected,
    "not_found_error": Rejected,
    "invalid_argument": Rejected,
    "not_found": Rejected,
    "failed_precondition": Rejected,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """What an error body says, dialect taken off.

    `codes`: every code and type that it names, the most telling first. `wait_s`: seconds to wait
    where the body says so.
    """

    message: str
    codes: tuple[str, ...] = ()
    wait_s: float | None = None

    def failure(
        self,
        status: int | None,
        headers: Mapping[str, str],
        /,
        *,
        now: float | None = None,
    ) -> Failure:
        """Make the fitting failure; `status` is None inside a stream."""
        kind = self._kind(status)
        wait = retry_after_s(headers, now=now) if self.wait_s is None else self.wait_s
        message = mask(self.message) or "no reason given"
        said = f"upstream answered {status}: {message}" if status else f"upstream said: {message}"
        return kind(said, status=status, retry_after_s=wait if kind.retryable else None)

    def _kind(self, status: int | None) -> type[Failure]:
        named = self._named()
        status = status if status not in (None, 200) else self._coded_status()
        if status is None:
            return named or Overloaded
        if named is ContextTooLong and status < 500 and status not in (401, 403):
            return named
        if status in (400, 404, 422, 429) and named is Unauthorized:
            return named
        if status >= 500:
            return _BY_STATUS.get(status, Overloaded)
        return _BY_STATUS.get(status, Rejected)

    def _coded_status(self) -> int | None:
        """HTTP status where the body gives one as its code, as relays do inside a stream."""
        numbers = (int(code) for code in self.codes if re.fullmatch(r"[45]\d\d", code))
        return next(numbers, None)

    def _named(self) -> type[Failure] | None:
        """What the words say, before the status is looked at."""
        if _TOO_LONG.search(self.message):
            return ContextTooLong
        if _NO_MONEY.search(self.message):
            return Unauthorized
        found = (_BY_CODE.get(code.lower()) for code in self.codes)
        return next((kind for kind in found if kind is not None), None)


def plain_text(body: bytes, /) -> str:
    """Take what can be read of an error body that is not JSON, without its HTML tags."""
    text = body[:4000].decode("utf-8", "replace")
    return re.sub(r"(?s)<(script|style).*?</\1>|<[^>]*>", " ", text)
