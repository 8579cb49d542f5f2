"""How recorded answers are compared: by the recorded short answer, else by reading the response."""

from __future__ import annotations

import re

from emafusion.domain.attempt import Attempt
from emafusion.domain.query import Query
from emafusion.judge.answers import short_answer
from emafusion.judge.asked import form_of
from emafusion.judge.grouping import groups_of
from emafusion.judge.normal import normal_key
from emafusion.replay.recorded import reply_of
from emafusion.replay.records import Records

_LETTER = re.compile(r"[A-P]")


class RecordedGrouper:
    """Groups of equal answers by what was recorded; a `Grouper`. Each answer is read once."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._rows = {query.query_id: i for i, query in enumerate(records.queries)}
        self._columns = {name: k for k, name in enumerate(records.models)}
        self._keys: dict[tuple[int, int], str | None] = {}
        self._groups: dict[tuple[str, ...], tuple[int, ...]] = {}

    def __call__(self, query: Query, attempts: tuple[Attempt, ...], /) -> tuple[int, ...]:
        """For each attempt the number of its group, -1 where it failed."""
        names = (query.query_id, *[attempt.candidate for attempt in attempts])
        found = self._groups.get(names)
        if found is None:
            found = self._groups[names] = self._grouped(query, attempts)
        return found

    def forget(self) -> None:
        """Drop what was read, once a query is done with."""
        self._keys.clear()
        self._groups.clear()

    def _grouped(self, query: Query, attempts: tuple[Attempt, ...]) -> tuple[int, ...]:
        replied = [i for i, attempt in enumerate(attempts) if attempt.reply is not None]
        numbers = [-1] * len(attempts)
        keys = [self._key(query, attempts[i].candidate) for i in replied]
        for i, number in zip(replied, groups_of(keys), strict=True):
            numbers[i] = number
        return tuple(numbers)

    def _key(self, query: Query, name: str) -> str | None:
        place = self._rows[query.query_id], self._columns[name]
        if place not in self._keys:
            self._keys[place] = key_of(self._records, query, place)
        return self._keys[place]


def key_of(records: Records, query: Query, place: tuple[int, int]) -> str | None:
    """Canonical short answer of one recorded answer, None where there is none.

    Where other answers to the query were recorded, one without is one that could not be read: the
    table's own reading counts, and not ours beside it.
    """
    answer = records.answers[int(records.row[place])]
    if answer is None:
        rows: list[int] = records.row[place[0]].tolist()
        is_read = any(records.answers[row] is not None for row in rows if row >= 0)
        return None if is_read else short_answer(query, reply_of(records, *place))
    if _LETTER.fullmatch(answer) and form_of(query) == "choice":
        return f"choice:{answer}"
    return normal_key(answer)
