"""What of a query would be lost on the way to each deployment of a pool."""

from __future__ import annotations

from collections.abc import Mapping

from emafusion.build.upstreams import DIALECTS
from emafusion.config import Config
from emafusion.domain.model import Candidate
from emafusion.domain.query import Query
from emafusion.flow.parts import Unsupported
from emafusion.wire.asked import asked_of, besides_of
from emafusion.wire.beyond import beyond_of
from emafusion.wire.dialect import Dialect

_OPENAI = DIALECTS["openai"]()
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


def _local(query: Query, candidate: Candidate) -> tuple[str, ...]:
    """Models in this machine refuse what they cannot do, rather than leave it out."""
    lost = asked_of(query) & _LOCAL_REFUSES
    return (*sorted(lost), *(n for n in _foreign(query, candidate) if n not in lost))


def _foreign(query: Query, candidate: Candidate) -> tuple[str, ...]:
    """What is lost on the way into OpenAI's words; what those can say is refused elsewhere.

    Models in this machine and the library behind `litellm` are asked in these words.
    """
    return _OPENAI.unsupported(query, candidate) if beyond_of(query) else ()


_SPOKEN: Mapping[str, Unsupported] = {
    "openai": _OPENAI.unsupported,
    "anthropic": _translated(DIALECTS["anthropic"]()),
    "gemini": _translated(DIALECTS["gemini"]()),
    "local": _local,
    "litellm": _foreign,
}
"""By what a deployment speaks."""
