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

KEYS: Final = (
    """
    CREATE TABLE emafusion.keys (
        id text PRIMARY KEY,
        name text NOT NULL,
        settings json NOT NULL,
        created_at double precision NOT NULL,
        revoked_at double precision
    )""",
    "CREATE UNIQUE INDEX keys_name ON emafusion.keys (name) WHERE revoked_at IS NULL",
    """
    CREATE TABLE emafusion.digests (
        digest bytea PRIMARY KEY,
        key_id text NOT NULL REFERENCES emafusion.keys (id),
        until_s double precision
    )""",
    "CREATE INDEX digests_key_id ON emafusion.digests (key_id)",
)

COUNTERS: Final = (
    """
    CREATE TABLE emafusion.counters (
        name text NOT NULL,
        starts_s double precision NOT NULL,
        forget_s double precision NOT NULL,
        used double precision NOT NULL DEFAULT 0,
        PRIMARY KEY (name, starts_s)
    ) WITH (fillfactor = 50)""",
    """
    CREATE TABLE emafusion.holds (
        hold text NOT NULL,
        name text NOT NULL,
        starts_s double precision NOT NULL,
        amount double precision NOT NULL,
        until_s double precision NOT NULL,
        PRIMARY KEY (name, starts_s, hold)
    )""",
    "CREATE INDEX holds_hold ON emafusion.holds (hold)",
    """
    CREATE TYPE emafusion.charge AS (
        name text, starts_s double precision, forget_s double precision,
        before_s double precision, share double precision,
        amount double precision, most double precision
    )""",
    """
    CREATE FUNCTION emafusion.levels(charges json, now_s double precision)
    RETURNS TABLE (place bigint, used double precision, held double precision)
    LANGUAGE sql STABLE AS $$
        SELECT c.place,
            coalesce(here.used, 0) + coalesce(c.share * before.used, 0),
            coalesce(holding.amount, 0) + coalesce(c.share * held_before.amount, 0)
        FROM (
            SELECT each.*, row_number() OVER () AS place
            FROM json_populate_recordset(NULL::emafusion.charge, charges) each
        ) c
        LEFT JOIN emafusion.counters here ON here.name = c.name AND here.starts_s = c.starts_s
        LEFT JOIN emafusion.counters before
            ON before.name = c.name AND before.starts_s = c.before_s
        LEFT JOIN LATERAL (
            SELECT sum(h.amount) AS amount FROM emafusion.holds h
            WHERE h.name = c.name AND h.starts_s = c.starts_s AND h.until_s > now_s
        ) holding ON true
        LEFT JOIN LATERAL (
            SELECT sum(h.amount) AS amount FROM emafusion.holds h
            WHERE h.name = c.name AND h.starts_s = c.before_s AND h.until_s > now_s
        ) held_before ON true
        ORDER BY c.place
    $$""",
    """
    CREATE FUNCTION emafusion.reserve(
        new_hold text, charges json, now_s double precision, until_s double precision
    )
    RETURNS TABLE (used double precision, held double precision, fits boolean)
    LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO emafusion.counters (name, starts_s, forget_s)
            SELECT c.name, c.starts_s, coalesce(c.forget_s, 'infinity')
            FROM json_populate_recordset(NULL::emafusion.charge, charges) c ORDER BY 1, 2
            ON CONFLICT DO NOTHING;
        PERFORM 1 FROM emafusion.counters k
            JOIN json_populate_recordset(NULL::emafusion.charge, charges) c
            ON c.name = k.name AND c.starts_s = k.starts_s
            ORDER BY k.name, k.starts_s FOR UPDATE OF k;
        RETURN QUERY SELECT l.used, l.held,
                coalesce(l.used + l.held + c.amount <= c.most * (1 + 1e-9), true)
            FROM emafusion.levels(charges, now_s) l
            JOIN (
                SELECT each.*, row_number() OVER () AS place
                FROM json_populate_recordset(NULL::emafusion.charge, charges) each
            ) c USING (place)
            ORDER BY place;
        IF NOT EXISTS (
            SELECT 1 FROM emafusion.levels(charges, now_s) l
            JOIN (
                SELECT each.*, row_number() OVER () AS place
                FROM json_populate_recordset(NULL::emafusion.charge, charges) each
            ) c USING (place)
            WHERE l.used + l.held + c.amount > c.most * (1 + 1e-9)
        ) THEN
            INSERT INTO emafusion.holds (hold, name, starts_s, amount, until_s)
                SELECT new_hold, c.name, c.starts_s, c.amount, reserve.until_s
                FROM json_populate_recordset(NULL::emafusion.charge, charges) c;
        END IF;
    END $$""",
    """
    CREATE FUNCTION emafusion.settle(old_hold text, spent json) RETURNS boolean
    LANGUAGE plpgsql AS $$
    BEGIN
        IF old_hold IS NOT NULL THEN
            DELETE FROM emafusion.holds h WHERE h.hold = old_hold;
            IF NOT FOUND THEN
                RETURN false;
            END IF;
        END IF;
        INSERT INTO emafusion.counters (name, starts_s, forget_s, used)
            SELECT c.name, c.starts_s, coalesce(c.forget_s, 'infinity'), c.amount
            FROM json_populate_recordset(NULL::emafusion.charge, spent) c ORDER BY 1, 2
            ON CONFLICT (name, starts_s) DO UPDATE SET used = counters.used + excluded.used;
        RETURN true;
    END $$""",
)
"""A hold takes the rows of its counters one after the other, always in the same order."""

FEEDBACK: Final = (
    """
    CREATE TABLE emafusion.feedback (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        decision_id text NOT NULL,
        created_at double precision NOT NULL,
        source text NOT NULL,
        score double precision NOT NULL,
        propensity double precision,
        key_id text,
        corrected text,
        comment text
    )""",
    "CREATE INDEX feedback_decision_id ON emafusion.feedback (decision_id)",
)

SHELF: Final = (
    """
    CREATE TABLE emafusion.responses (
        id text PRIMARY KEY,
        owner text NOT NULL,
        created_at double precision NOT NULL,
        previous text,
        items bytea NOT NULL,
        body bytea NOT NULL
    )""",
    "CREATE INDEX responses_created_at ON emafusion.responses (created_at)",
    """
    CREATE TABLE emafusion.files (
        id text PRIMARY KEY,
        number bigint GENERATED ALWAYS AS IDENTITY,
        owner text NOT NULL,
        created_at double precision NOT NULL,
        expires_at double precision,
        purpose text NOT NULL,
        size bigint NOT NULL,
        state bytea NOT NULL
    )""",
    """
    CREATE TABLE emafusion.contents (
        id text PRIMARY KEY REFERENCES emafusion.files (id) ON DELETE CASCADE,
        data bytea NOT NULL
    )""",
    # Not compressed, so that a piece of it can be read without the rest.
    "ALTER TABLE emafusion.contents ALTER COLUMN data SET STORAGE EXTERNAL",
    """
    CREATE TABLE emafusion.batches (
        id text PRIMARY KEY,
        number bigint GENERATED ALWAYS AS IDENTITY,
        owner text NOT NULL,
        created_at double precision NOT NULL,
        status text NOT NULL,
        input_file text NOT NULL,
        worker text,
        worker_until timestamptz,
        state bytea NOT NULL
    )""",
    """
    CREATE TABLE emafusion.lines (
        batch text NOT NULL REFERENCES emafusion.batches (id) ON DELETE CASCADE,
        number integer NOT NULL,
        good boolean,
        prompt_tokens bigint NOT NULL DEFAULT 0,
        cached_tokens bigint NOT NULL DEFAULT 0,
        completion_tokens bigint NOT NULL DEFAULT 0,
        reasoning_tokens bigint NOT NULL DEFAULT 0,
        custom_id bytea NOT NULL,
        body bytea,
        text bytea,
        PRIMARY KEY (batch, number)
    )""",
    "CREATE INDEX lines_open ON emafusion.lines (batch, number) WHERE good IS NULL",
)
"""What clients named themselves is kept as bytes: a text has no NUL there."""

ANSWERS: Final = (
    """
    CREATE TABLE emafusion.answers (
        name bytea PRIMARY KEY,
        request bytea NOT NULL,
        worker text NOT NULL,
        value bytea,
        until_at timestamptz NOT NULL
    )""",
    "CREATE INDEX answers_until_at ON emafusion.answers (until_at)",
)

MIGRATIONS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "001_outcomes",
        (
            "CREATE SEQUENCE emafusion.outcome_ids",
            OUTCOMES,
            "CREATE INDEX outcomes_created_at ON emafusion.outcomes (created_at)",
        ),
    ),
    ("002_keys", KEYS),
    ("003_counters", COUNTERS),
    ("004_feedback", FEEDBACK),
    ("005_shelf", SHELF),
    ("006_answers", ANSWERS),
)
"""Every step with its name and statements, oldest first. Append only."""

TABLES: Final[dict[str, str]] = {
    "outcomes": "001_outcomes",
    "keys": "002_keys",
    "digests": "002_keys",
    "counters": "003_counters",
    "holds": "003_counters",
    "feedback": "004_feedback",
    "responses": "005_shelf",
    "files": "005_shelf",
    "contents": "005_shelf",
    "batches": "005_shelf",
    "lines": "005_shelf",
    "answers": "006_answers",
}
"""Table -> the step that makes it: what must be there where that step was taken."""
