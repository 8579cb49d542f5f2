"""Which outcomes are so long that their rows are made beside the event loop."""

from __future__ import annotations

from emafusion.domain.outcome import Outcome

_MESSAGES, _BYTES = 1_000, 2**18
"""Messages of a conversation, and bytes of a request, from which a row is a thread's work."""


def is_long(outcome: Outcome) -> bool:
    """Whether to make and write its row would hold up the event loop."""
    query = outcome.query
    if len(query.messages) >= _MESSAGES:
        return True
    return query.origin is not None and any(len(value) > _BYTES for _, value in query.origin.fields)
