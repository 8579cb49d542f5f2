"""The gateway's own log as an outcome table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import structs

from emafusion.store.read import LogReader
from emafusion.tables.batch import Batch
from emafusion.tables.columns import Shape
from emafusion.tables.jsonl import Pile


def read_log(path: Path, shape: Shape) -> Iterator[Batch]:
    """Batches of a log, one row for each attempt, newest request first."""
    pile = Pile(shape)
    with LogReader(path) as log:
        for number, row in enumerate(log.to_outcome_rows(), start=1):
            texts = (row.prompt, row.messages, row.response)
            pile.add(number, structs.asdict(row), size=sum(len(text or "") for text in texts))
            if pile.is_full:
                yield pile.taken()
    if pile.is_begun:
        yield pile.taken()
