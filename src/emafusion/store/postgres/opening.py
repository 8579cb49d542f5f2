"""Opens what is kept in PostgreSQL, ready to be used: the schema is there once it returns."""

from __future__ import annotations

from emafusion.store.estimates import LabelNames
from emafusion.store.postgres.feedback import PostgresFeedback
from emafusion.store.postgres.keys import PostgresKeyStore
from emafusion.store.postgres.lane import Lane
from emafusion.store.postgres.log import PostgresLog
from emafusion.store.postgres.meter import PostgresMeter
from emafusion.store.postgres.partitions import Kept
from emafusion.store.postgres.tending import Tender
from emafusion.store.recording import Recorder
from emafusion.store.texts import Prompts, Texts


def open_postgres_log(
    url: str,
    *,
    prompts: Prompts,
    names: LabelNames,
    retention_days: float | None,
    max_mb: float | None,
) -> PostgresLog:
    """Open the log of outcomes and begin to tend it. `max_mb`: 2**20 bytes each.

    Raises:
        StoreError: the database cannot be reached, or what is there is not ours to use.
    """
    max_bytes = None if max_mb is None else int(max_mb * 2**20)
    tender = Tender(url, Kept(days=retention_days, max_bytes=max_bytes))
    tender.prepare()
    tender.start()
    return PostgresLog(url, Recorder(texts=Texts(prompts=prompts), names=names), tender=tender)


def open_postgres_feedback(url: str, *, with_texts: bool) -> PostgresFeedback:
    """Open what people say of answers, beside a log that is open already."""
    return PostgresFeedback(Lane(url, doing="use the log's feedback"), with_texts=with_texts)


def open_postgres_keys(url: str) -> tuple[PostgresKeyStore, PostgresMeter]:
    """Open keys and counters.

    Raises:
        StoreError: the database cannot be reached, or what is there is not ours to use.
    """
    Tender(url, Kept()).prepare()
    keys = PostgresKeyStore(Lane(url, doing="use the keys"))
    return keys, PostgresMeter(Lane(url, doing="use the budgets"))
