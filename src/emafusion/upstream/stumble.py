"""What the exceptions of somebody else's client mean: the fitting failure."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Mapping
from typing import TypeVar, cast

from emafusion.domain.errors import (
    ContextTooLong,
    Disconnected,
    Failure,
    Garbled,
    Overloaded,
    RateLimited,
    Rejected,
    TimedOut,
    Unauthorized,
)
from emafusion.wire.mask import mask
from emafusion.wire.patience import retry_after_s

_T = TypeVar("_T")

_KINDS: Mapping[str, type[Failure]] = {
    "ContextWindowExceededError": ContextTooLong,
    "AuthenticationError": Unauthorized,
    "PermissionDeniedError": Unauthorized,
    "PaymentRequiredError": Unauthorized,
    "RateLimitError": RateLimited,
    "APITimeoutError": TimedOut,
    "Timeout": TimedOut,
    "APIConnectionError": Disconnected,
    "APIResponseValidationError": Garbled,
    "InternalServerError": Overloaded,
    "ServiceUnavailableError": Overloaded,
    "BadGatewayError": Overloaded,
    "APIStatusError": Rejected,
    "APIError": Overloaded,
    "TimeoutError": TimedOut,
    "OSError": Disconnected,
}
"""Class name to failure; the nearest base class that is listed decides."""


async def theirs(waiting: Awaitable[_T], /) -> _T:
    """Await what a foreign library does; whatever it raises is raised as the fitting failure."""
    try:
        return await waiting
    except Exception as error:  # noqa: BLE001 - others' code: whatever it raises is a failed call
        raise failure_of(error, now=time.time()) from None


def failure_of(error: Exception, /, *, now: float) -> Failure:
    """Name the failure by the error's class and those it derives from; `now`: Unix seconds.

    >>> class RateLimitError(Exception):
    ...     status_code = 429
    >>> failure_of(RateLimitError("slow down"), now=0.0)
    RateLimited('litellm: slow down')
    """
    names = [kind.__name__ for kind in type(error).__mro__]
    kind = next((_KINDS[name] for name in names if name in _KINDS), Rejected)
    status = getattr(error, "status_code", None)
    message = mask(str(error)) or type(error).__name__
    return kind(
        f"litellm: {message}",
        status=status if isinstance(status, int) and kind is not Disconnected else None,
        retry_after_s=_wait_s(error, now) if kind.retryable else None,
    )


def _wait_s(error: Exception, now: float) -> float | None:
    headers: object = getattr(getattr(error, "response", None), "headers", None)
    if not isinstance(headers, Mapping):
        return None
    read = cast("Mapping[object, object]", headers)
    return retry_after_s({str(k).lower(): str(v) for k, v in read.items()}, now=now)
