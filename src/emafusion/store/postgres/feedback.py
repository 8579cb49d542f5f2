"""Feedback in PostgreSQL, beside the log of all replicas."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import psycopg
from msgspec.structs import astuple

from emafusion.store.feedback.feedback import (
    COLUMNS,
    Feedback,
    audits_sql,
    feedback_of,
    without_words,
)
from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.rows import plain

_NAMES: Final = ", ".join(COLUMNS)
_MARKS: Final = ", ".join(["%s"] * len(COLUMNS))
_OWNER: Final = b"SELECT key_id FROM emafusion.outcomes WHERE decision_id = %s"
_ADD: Final = f"INSERT INTO emafusion.feedback ({_NAMES}) VALUES ({_MARKS})".encode()  # noqa: S608 - own names
_AUDITS: Final = audits_sql("emafusion.", "%s").encode()
_EVERY: Final = f"SELECT {_NAMES} FROM emafusion.feedback ORDER BY id".encode()  # noqa: S608 - own names
_OF: Final = f"SELECT {_NAMES} FROM emafusion.feedback WHERE decision_id = %s ORDER BY id".encode()  # noqa: S608 - own names


class PostgresFeedback:
    """A `FeedbackStore` in PostgreSQL. `with_texts`: whether words are kept too."""

    def __init__(self, lane: Lane, *, with_texts: bool = True) -> None:
        self._lane = lane
        self._with_texts = with_texts

    async def owner(self, decision_id: str, /) -> tuple[bool, str | None]:
        """Whether the log has this decision, and which key asked."""
        found = await self._lane.ask(_OWNER, (plain(decision_id),))
        return (True, found[0][0]) if found else (False, None)

    async def add(self, feedback: Feedback, /) -> None:
        """Keep it."""
        kept = feedback if self._with_texts else without_words(feedback)
        values = [plain(cell) if isinstance(cell, str) else cell for cell in astuple(kept)]
        await self._lane.ask(_ADD, values)

    async def audits(self, since: float, quality_weight: float, /) -> list[Feedback]:
        """Audits of answers given after a time at one setting, in the order they came."""
        return [feedback_of(row) for row in await self._lane.ask(_AUDITS, (since, quality_weight))]

    async def close(self) -> None:
        """Close its connections."""
        await self._lane.close()


def opinions_of(connection: psycopg.Connection, decision_id: str) -> list[Feedback]:
    """All feedback on one decision, oldest first."""
    return [feedback_of(row) for row in connection.execute(_OF, (plain(decision_id),))]


def every_opinion(connection: psycopg.Connection) -> Iterator[Feedback]:
    """All feedback there is, oldest first."""
    return map(feedback_of, connection.execute(_EVERY))
