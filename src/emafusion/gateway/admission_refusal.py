"""What a key is refused for, in words and statuses that clients of OpenAI's API act on.

A budget that is spent is 429 `insufficient_quota`, with a header by which OpenAI's clients do not
try again; a rate is 429 `rate_limit_exceeded` with the time to wait.
"""

from __future__ import annotations

from math import ceil, isfinite

from emafusion.domain.errors import BadInput, EmafusionError
from emafusion.gateway.http import Headers

NO_RETRY: Headers = (("x-should-retry", "false"),)


class OutOfLimit(EmafusionError):
    """A limit of the key. `headers`: what the client is to be told besides.

    `left_usd`: what of a budget is neither spent nor held; None where it is about something else.
    """

    status = 429
    code = "rate_limit_exceeded"

    def __init__(self, what: str, *, headers: Headers = (), left_usd: float | None = None) -> None:
        super().__init__(what)
        self.headers = headers
        self.left_usd = left_usd


class OutOfRate(OutOfLimit):
    """Too many requests or tokens at once; waiting helps."""


class TooMuch(OutOfLimit):
    """More than the key may take at once: waiting does not help."""


class OutOfBudget(OutOfLimit):
    """The money of the key is spent; waiting helps when the period ends."""

    code = "insufficient_quota"


class NotAllowed(BadInput):
    """The key may not use this model or option."""

    status = 403
    code = "not_allowed"


def retry_after(wait_s: float) -> Headers:
    """Tell in whole seconds how long to wait; nothing where waiting does not help.

    >>> retry_after(0.2), retry_after(float("inf"))
    ((('retry-after', '1'),), ())
    """
    return (("retry-after", str(max(1, ceil(wait_s)))),) if isfinite(wait_s) else ()
