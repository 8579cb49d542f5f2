"""Every error of the project, one tree.

    EmafusionError
    ├── BadInput             the caller's mistake: what, where, what is right (400, exit code 2)
    │   ├── UnknownModel     no such model or candidate                              (404)
    │   └── NoCandidate      no model of the pool can serve this query               (400)
    ├── Denied               missing or wrong key                                    (401)
    ├── Unready              something needed is absent, and how to get it (503, exit code 1)
    └── Failure              a call to a model failed: a *value* in `Attempt.failure`
        ├── Retryable        the same call may succeed later
        │   ├── RateLimited
        │   ├── Overloaded
        │   ├── TimedOut
        │   └── Disconnected
        └── Final            the same call will fail again
            ├── Unauthorized     the provider refuses our key
            ├── Rejected         the provider refuses the request
            ├── ContextTooLong   the query does not fit the model
            ├── Declined         the candidate says the query is not its task
            ├── Garbled          the reply could not be read
            ├── DeadlinePassed   the request's own deadline ran out
            └── Cancelled        the client left

Whether a retry makes sense is in the type. A bug is any other exception.
"""

from __future__ import annotations

from typing import ClassVar


class EmafusionError(Exception):
    """Root of all errors raised on purpose; `str(error)` is one clear line."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"

    @property
    def kind(self) -> str:
        """Name of the error in logs and tables, the class name in snake case.

        >>> RateLimited("slow down").kind
        'rate_limited'
        """
        name = type(self).__name__
        return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")


class BadInput(EmafusionError):
    """The caller's mistake; `where` names the field, file or flag.

    >>> str(BadInput("must be between 0 and 1, got 3", where="quality_weight"))
    'quality_weight: must be between 0 and 1, got 3'
    """

    status = 400
    code = "invalid_request"

    def __init__(self, what: str, *, where: str | None = None) -> None:
        super().__init__(f"{where}: {what}" if where else what)
        self.where = where


class UnknownModel(BadInput):
    """No model or candidate of that name."""

    status = 404
    code = "model_not_found"


class NoCandidate(BadInput):
    """No model of the pool can serve this query within its limits; the message says why."""

    code = "no_candidate"


class Denied(EmafusionError):
    """Missing or wrong gateway key."""

    status = 401
    code = "invalid_api_key"


class Unready(EmafusionError):
    """Something needed is absent; the message says how to get it."""

    status = 503
    code = "unready"


class Failure(EmafusionError):
    """A call to a model that failed. Stored as a value, never swallowed.

    `status`: HTTP status that the provider gave, None where there was none;
    `retry_after_s`: seconds the provider asked to wait, None where it did not say.
    """

    retryable: ClassVar[bool] = False
    client_status: ClassVar[int] = 502

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.upstream_status = status
        self.retry_after_s = retry_after_s


class Retryable(Failure):
    """The same call may succeed later."""

    retryable = True


class RateLimited(Retryable):
    """The provider asks for fewer requests."""

    code = "rate_limited"
    client_status = 429


class Overloaded(Retryable):
    """The provider failed on its side (5xx)."""

    code = "upstream_overloaded"
    client_status = 503


class TimedOut(Retryable):
    """A phase of the call or the request's deadline ran out; the message names which."""

    code = "timeout"
    client_status = 504


class Disconnected(Retryable):
    """No connection, or it broke before the reply was complete."""

    code = "upstream_disconnected"


class Final(Failure):
    """The same call will fail again."""


class Unauthorized(Final):
    """The provider refuses our key (401, 403)."""

    code = "upstream_unauthorized"


class Rejected(Final):
    """The provider refuses the request itself (400, 404, 422)."""

    code = "upstream_rejected"
    client_status = 400


class ContextTooLong(Final):
    """The query does not fit into the model's context."""

    code = "context_length_exceeded"
    client_status = 400


class Declined(Final):
    """The candidate says that the query is not its task (a specialist program)."""

    code = "not_my_task"
    client_status = 422


class Garbled(Final):
    """The reply could not be read."""

    code = "upstream_garbled"


class DeadlinePassed(Final):
    """The deadline of the whole request ran out; no further call is made."""

    code = "deadline_passed"
    client_status = 504


class Cancelled(Final):
    """The client left before the reply was complete."""

    code = "client_closed_request"
    client_status = 499
