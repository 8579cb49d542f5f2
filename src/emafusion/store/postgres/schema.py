"""The schema in PostgreSQL, as a list of steps that is only ever appended to.

Everything lives in the schema `emafusion`; no other object of the database is ever touched. One
table holds an outcome whole, since PostgreSQL keeps long values apart by itself; it is cut by day
of `created_at`, so that retention drops tables and deletes no row.
"""

from __future__ import annotations

from typing import Final

SCHEMA: Final = "emafusion"

OUTCOMES: Final = """
CREATE TABLE emafusion.outcomes (
    id bigint NOT NULL DEFAULT nextval('emafusion.outcome_ids'),
    decision_id text NOT NULL,
    created_at double precision NOT NULL,
    query_id text NOT NULL,
    requested text NOT NULL,
    session text,
    key_id text,
    opening text,
    task text,
    quality_weight double precision NOT NULL,
    prompt_tokens bigint,
    familiarity double precision,
    route text NOT NULL,
    propensity double precision NOT NULL,
    candidate text,
    confidence double precision,
    finish text,
    status integer NOT NULL,
    failure text,
    looks integer NOT NULL,
    escalated boolean NOT NULL,
    cost_usd double precision,
    baseline_usd double precision,
    saved_usd double precision,
    latency_s double precision NOT NULL,
    overhead_ms double precision NOT NULL,
    query_hash text NOT NULL,
    features_hash text,
    prompt text,
    messages text,
    answer text,
    answer_hash text,
    answer_attempt integer,
    failure_message text,
    request json NOT NULL,
    tags json NOT NULL,
    labels json,
    objective json NOT NULL,
    pool json NOT NULL,
    plans json NOT NULL,
    attempts json NOT NULL,
    judgements json NOT NULL,
    PRIMARY KEY (decision_id, created_at)
) PARTITION BY RANGE (created_at)
"""

MIGRATIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "001_outcomes",
        (
            "CREATE SEQUENCE emafusion.outcome_ids",
            OUTCOMES,
            "CREATE INDEX outcomes_created_at ON emafusion.outcomes (created_at)",
        ),
    ),
)
"""Every step with its name and statements, oldest first. Append only."""

TABLES: Final[dict[str, str]] = {"outcomes": "001_outcomes"}
"""Table -> the step that makes it: what must be there where that step was taken."""
