"""What of a query would be lost on the way to each deployment of a pool."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.build.upstreams import DIALECTS
from emafusion.config import Config
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.flow.parts import Unsupported, everything_said
from emafusion.wire.asked import asked_of, besides_of
from emafusion.wire.dialect import Dialect

_LOCAL_REFUSES = frozenset(
    {"audio", "logit_bias", "modalities", "moderation", "tools", "web_search_options"}
)
_USER_CARRIED = frozenset({"anthropic"})
"""Dialects that have a place for `user`."""


def unsupported_of(config: Config) -> Unsupported:
    """Make the function that names what a candidate's API cannot say."""
    by_deployment = {entry.deployment: _SPOKEN[entry.dialect] for entry in config.models}
    return lambda query, candidate: by_deployment[candidate.deployment](query, candidate)


def _translated(dialect: Dialect) -> Unsupported:
    """What a foreign dialect leaves out: of the answer itself, and of what is said besides."""

    def unsupported(query: Query, candidate: Candidate) -> tuple[str, ...]:
        besides = besides_of(query) - ({"user"} if dialect.name in _USER_CARRIED else set())
        return (*dialect.unsupported(query, candidate), *sorted(besides))

    return unsupported


def _local(query: Query, _candidate: Candidate) -> tuple[str, ...]:
    """Models in this machine refuse what they cannot do, rather than leave it out."""
    return tuple(sorted(asked_of(query) & _LOCAL_REFUSES))


_SPOKEN: Mapping[str, Unsupported] = {
    "openai": DIALECTS["openai"]().unsupported,
    "anthropic": _translated(DIALECTS["anthropic"]()),
    "gemini": _translated(DIALECTS["gemini"]()),
    "local": _local,
    "litellm": everything_said,
}
"""By what a deployment speaks. The library behind `litellm` refuses what it cannot say."""
