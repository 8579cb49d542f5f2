"""The gateway's own log as tables: answers of models, and what judges said of them."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from msgspec import structs

from emafusion.domain.errors import BadInput
from emafusion.store.address import postgres_address
from emafusion.store.errors import StoreError
from emafusion.store.feedback.feedback import scores_of
from emafusion.store.read import LogReader
from emafusion.store.reading import Reader
from emafusion.store.record import AttemptRecord, Record
from emafusion.store.table import table_rows
from emafusion.tables.batch import Batch
from emafusion.tables.columns import Shape
from emafusion.tables.jsonl import Fields, Pile

DATABASE = "postgres:"
"""Before the name of an environment variable that holds the address of a database."""

EMBEDDING = "embedding"
"""Route of rows that are no answers to questions: texts that were made vectors."""

NO_ANSWERS = {EMBEDDING: "embeddings", "parts": "answers to parts of a query"}
"""Routes whose calls answer no logged query, and what they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """A call: a row and its grades, or why it is no answer."""

    row: Fields | None = None
    grades: tuple[Fields, ...] = ()
    left_out: str | None = None


@dataclass(slots=True)
class Queries:
    """Which requests of a log are one query: the same conversation, answered by other models.

    So who asks every model by its name has a table that compares them. A model that was asked the
    same again has answered another query: no answer is lost.
    """

    _seen: dict[str, tuple[str, frozenset[str]]] = field(
        default_factory=dict[str, tuple[str, frozenset[str]]]
    )

    def id_of(self, record: Record) -> str:
        """The `query_id` that the answers of a request belong to."""
        answers = (each for each in record.detail.attempts if _no_answer(each) is None)
        models = frozenset(each.candidate for each in answers)
        same = record.detail.query_hash
        query_id, known = self._seen.get(same, (record.row.query_id, frozenset[str]()))
        if known & models:
            query_id, known = record.row.query_id, frozenset[str]()
        self._seen[same] = (query_id, known | models)
        return query_id


def calls_of(record: Record, query_id: str, *, score: float | None = None) -> Iterator[Logged]:
    """Every call of a logged request; those that failed or were made to judge or fuse are none.

    `score`: what people said of the answer given, 0..1.
    """
    samples: Counter[str] = Counter()
    pairs = zip(record.detail.attempts, table_rows(record, score=score), strict=True)
    for number, (attempt, row) in enumerate(pairs):
        what = NO_ANSWERS.get(record.row.route) or _no_answer(attempt)
        if what is not None:
            yield Logged(left_out=what)
            continue
        cells: Fields = {**structs.asdict(row), "query_id": query_id, "sample": samples[row.model]}
        samples[row.model] += 1
        yield Logged(row=cells, grades=tuple(_grades(record, number, cells)))


def is_database(path: Path) -> bool:
    """Whether a source names a log in PostgreSQL: `postgres:` and an environment variable.

    >>> is_database(Path("postgres:EMAFUSION_POSTGRES")), is_database(Path("log.sqlite"))
    (True, False)
    """
    return str(path).startswith(DATABASE)


def calls_in(path: Path) -> Iterator[Logged]:
    """Every call in a log, of the newest request first, with what people said of the answer.

    Raises `BadInput` where it cannot be read as a log.
    """
    try:
        with _opened(path) as log:
            scores, queries = scores_of(log.feedback()), Queries()
            for record in log.records():
                score = scores.get(record.row.decision_id)
                yield from calls_of(record, queries.id_of(record), score=score)
    except StoreError as error:
        raise BadInput(str(error)) from error


def read_log(path: Path, shape: Shape) -> Iterator[Batch]:
    """Batches of a log, one row for each answer, newest request first."""
    pile = Pile(shape)
    number = 0
    for call in calls_in(path):
        if call.row is None:
            pile.leave_out(call.left_out or "")
            continue
        number += 1
        pile.add(number, call.row, size=size_of(call.row))
        if pile.is_full:
            yield pile.taken()
    if pile.is_begun:
        yield pile.taken()


def size_of(row: Fields) -> int:
    """Characters of text in a row."""
    return sum(len(cell) for cell in row.values() if isinstance(cell, str))


def _opened(path: Path) -> Reader:
    if not is_database(path):
        return LogReader(path)
    name = str(path).removeprefix(DATABASE)
    url = postgres_address(name, os.environ, where=str(path))
    from emafusion.store.postgres.read import PostgresReader

    return PostgresReader(url)


def _no_answer(attempt: AttemptRecord) -> str | None:
    if attempt.failure is not None:
        return "calls that failed"
    return None if attempt.purpose == "answer" else f"calls made to {attempt.purpose}"


def _grades(record: Record, number: int, row: Fields) -> Iterator[Fields]:
    for judgement in record.detail.judgements:
        if judgement.attempt == number:
            yield {
                "query_id": row["query_id"],
                "model": row["model"],
                "judge": judgement.judge,
                "repeat": row["sample"],
                "judge_score": judgement.value,
                "cost_usd": judgement.cost_usd,
            }
