"""A query that came in another dialect than OpenAI's, with what only that dialect can say of it."""

from __future__ import annotations

from emafusion.domain.command import Call
from emafusion.domain.query import Origin, Query


class RichOrigin(Origin, frozen=True, kw_only=True):
    """The bytes a query came as, and what of them the nouns do not hold.

    `beyond`: names of what is lost on the way to any other dialect, as `unsupported` gives them;
    found once, when the query is read, since every candidate asks. `headers` of the request and
    `parameters` behind its address go along to an upstream of the same dialect.
    """

    beyond: tuple[str, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()
    parameters: str = ""


def beyond_of(query: Query, /) -> tuple[str, ...]:
    """Names of what only the dialect can say that the query came in; none where OpenAI's can."""
    return query.origin.beyond if isinstance(query.origin, RichOrigin) else ()


def headers_of(query: Query, /) -> tuple[tuple[str, str], ...]:
    """Headers of the client that go along to an upstream of the dialect it spoke."""
    return query.origin.headers if isinstance(query.origin, RichOrigin) else ()


def path_with(path: str, query: Query, /) -> str:
    """The path with what the client put behind its own."""
    given = query.origin.parameters if isinstance(query.origin, RichOrigin) else ""
    return f"{path}?{given}" if given else path


def most_tokens(call: Call, /) -> int | None:
    """The client's limit of an answer, or the model's own where that is less; None for no limit.

    Clients of other APIs must name a limit and name a large one, which many a server refuses; what
    a model cannot write is not lost.
    """
    asked, own = call.query.settings.max_tokens, call.candidate.model.max_completion_tokens
    return asked if asked is None or own is None else min(asked, own)


def came_in(query: Query, dialect: str, /) -> bool:
    """Whether the query came in this dialect, so that it can go out as it came."""
    return query.origin is not None and query.origin.dialect == dialect
