"""Reading the log in PostgreSQL gives what reading it in SQLite gives."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome

from emafusion.domain.errors import BadInput
from emafusion.domain.outcome import Outcome
from emafusion.store.feedback.feedback import Feedback, FeedbackStore
from emafusion.store.feedback.sqlite_feedback import SqliteFeedback
from emafusion.store.filter import Filter
from emafusion.store.log import OutcomeLog
from emafusion.store.read import LogReader

psycopg = pytest.importorskip("psycopg", reason="needs the extra `postgres`")

from tests.state_servers.test_postgres_log import opened  # noqa: E402 - the same

from emafusion.store.postgres.link import checked_url  # noqa: E402 - after the extra is known
from emafusion.store.postgres.opening import (  # noqa: E402 - the same
    open_postgres_feedback,
)
from emafusion.store.postgres.read import PostgresReader  # noqa: E402 - after the extra is known

NOW = 1_790_000_000.0


def outcomes() -> list[Outcome]:
    """Some of every kind, an hour apart."""
    given = (answer("Rain: 100% sure"), escalated_answer(), failed_answer(), answer('say "hi"\n'))
    return [
        outcome(f"em-{n:03}", prompt=f"What is {n} + {n}?", given=each, created_at=NOW + n * 3600)
        for n, each in enumerate(given * 3)
    ]


OPINIONS = (
    Feedback(decision_id="em-000", created_at=1.0, source="client", score=0.0, corrected="No\0"),
    Feedback(decision_id="em-000", created_at=3.0, source="audit", score=0.25, propensity=0.5),
    Feedback(decision_id="em-001", created_at=2.0, source="client", score=1.0, key_id="k"),
)


async def tell(kept: FeedbackStore) -> None:
    """Say what is said of some answers, and read back what can be read there."""
    for each in OPINIONS:
        await kept.add(each)
    assert await kept.owner("em-003") == (True, outcomes()[3].key_id)
    assert await kept.owner("em-\0") == (False, None)
    weight = outcomes()[0].objective.quality_weight
    assert await kept.audits(NOW - 1, weight) == [OPINIONS[1]]
    assert await kept.audits(NOW + 1, weight) == []
    assert await kept.audits(NOW - 1, weight + 0.1) == []
    await kept.close()


@dataclass(frozen=True)
class Both:
    """The same outcomes in both places."""

    here: LogReader
    there: PostgresReader


@pytest.fixture
async def both(url: str, tmp_path: Path) -> AsyncIterator[Both]:
    """Filled once for each test."""
    made, log = outcomes(), opened(url)
    file = OutcomeLog.open(tmp_path / "log.sqlite", retention_days=None, max_mb=None)
    for each in made:
        await log.append(each)
        await file.append(each)
    checked = checked_url(url, where="EMA_POSTGRES")
    for kept in (
        SqliteFeedback(tmp_path / "log.sqlite"),
        open_postgres_feedback(checked, with_texts=True),
    ):
        await tell(kept)
    await log.close()
    await file.close()
    with LogReader(tmp_path / "log.sqlite") as here, PostgresReader(url) as there:
        yield Both(here, there)


FILTERS = [
    Filter(),
    Filter(since=NOW + 3600, until=NOW + 4 * 3600),
    Filter(candidate="large"),
    Filter(route="learned", escalated=True),
    Filter(status=503, failed=True),
    Filter(session="s-1"),
    Filter(session="nobody"),
    Filter(min_confidence=0.9, max_confidence=0.92),
    Filter(text="100%"),
    Filter(text="RAIN"),
    Filter(text='say "hi"\n'),
    Filter(text="3 + 3"),
    Filter(text="user"),
    Filter(text="%"),
    Filter(lacks="label"),
    Filter(lacks="audit", routed=True, quality_weight=0.5),
    Filter(quality_weight=0.25),
]


def test_every_filter_chooses_the_same(both: Both) -> None:
    """Rows, whole records, counts and totals are equal for every condition."""
    for chosen in FILTERS:
        assert list(both.there.rows(chosen)) == list(both.here.rows(chosen)), chosen
        assert list(both.there.records(chosen)) == list(both.here.records(chosen)), chosen
        assert both.there.count(chosen) == both.here.count(chosen), chosen
        assert both.there.totals(chosen) == both.here.totals(chosen), chosen
    assert list(both.there.records(limit=3)) == list(both.here.records(limit=3))
    assert list(both.there.to_outcome_rows()) == list(both.here.to_outcome_rows())


def test_what_people_said_is_the_same(both: Both) -> None:
    """One decision's, everybody's, and the scores in the table that learning reads."""
    for reader in (both.here, both.there):
        assert [each.score for each in reader.opinions("em-000")] == [0.0, 0.25]
        assert len(list(reader.feedback())) == len(OPINIONS)
        scores = [row.score for row in reader.to_outcome_rows() if row.score is not None]
        assert sorted(scores) == [0.25, 1.0]
    assert both.there.opinions("em-000")[0].corrected == "No\ufffd"


def test_a_decision_is_found_by_its_beginning_or_end(both: Both) -> None:
    """As in SQLite; what is not clear is said."""
    for name in ("em-003", "em-00", "003", "", "em_003", "no"):
        found = list[object]()
        for reader in (both.here, both.there):
            try:
                found.append(reader.get(name))
            except BadInput as error:
                found.append(str(error))
        assert found[0] == found[1], name


async def test_following_shows_each_once(url: str) -> None:
    """What comes after the mark, whatever order it is committed in."""
    log = opened(url)
    await log.append(outcome("em-0"))
    reader = await asyncio.to_thread(PostgresReader, url)
    mark, shown = await asyncio.to_thread(reader.mark), list[str]()
    for n in range(1, 6):
        await log.append(outcome(f"em-{n}"))
        mark, fresh = await asyncio.to_thread(reader.after, mark)
        shown += [record.row.decision_id for record in fresh]
    assert shown == [f"em-{n}" for n in range(1, 6)]
    reader.close()
    await log.close()


def test_where_nobody_has_written_is_said(url: str) -> None:
    """Reading makes nothing."""
    with pytest.raises(BadInput, match="PostgreSQL: no log of this version there yet"):
        PostgresReader(url)
    with psycopg.connect(url) as connection:
        found = connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'emafusion'")
        assert found.fetchone() is None
