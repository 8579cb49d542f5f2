"""What a set of logged requests comes to, in PostgreSQL's words."""

from __future__ import annotations

from typing import Final

import psycopg

from emafusion.store.filter import Where
from emafusion.store.totals import Share, Totals

_SUMS: Final = """SELECT count(*), count(*) FILTER (WHERE o.status >= 400),
    count(*) FILTER (WHERE o.escalated), sum(o.cost_usd), count(*) - count(o.cost_usd),
    sum(o.saved_usd), sum(o.baseline_usd) FILTER (WHERE o.saved_usd IS NOT NULL),
    count(o.saved_usd), avg(o.confidence),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY o.latency_s),
    percentile_disc(0.95) WITHIN GROUP (ORDER BY o.latency_s),
    percentile_disc(0.5) WITHIN GROUP (ORDER BY o.overhead_ms),
    percentile_disc(0.95) WITHIN GROUP (ORDER BY o.overhead_ms)
    FROM"""


def totals(connection: psycopg.Connection, chosen: Where) -> Totals:
    """Sum up what the condition chooses."""
    sums = connection.execute(
        f"{_SUMS} {chosen.tables} WHERE {chosen.sql}".encode(), chosen.values
    ).fetchone()
    if sums is None:
        raise psycopg.DataError("no sums")
    return Totals(
        requests=sums[0],
        failed=sums[1],
        escalated=sums[2],
        cost_usd=sums[3],
        unpriced=sums[4],
        saved_usd=sums[5],
        baseline_usd=sums[6],
        compared=sums[7],
        mean_confidence=sums[8],
        latency_p50_s=sums[9],
        latency_p95_s=sums[10],
        overhead_p50_ms=sums[11],
        overhead_p95_ms=sums[12],
        candidates=_shares(connection, chosen, column="candidate"),
        routes=_shares(connection, chosen, column="route"),
    )


def _shares(connection: psycopg.Connection, chosen: Where, *, column: str) -> tuple[Share, ...]:
    """Requests by the values of one column, the largest share first."""
    found = connection.execute(
        f"SELECT o.{column}, count(*), sum(o.cost_usd), avg(o.confidence) "  # noqa: S608 - our own words
        f"FROM {chosen.tables} WHERE {chosen.sql} "
        "GROUP BY 1 ORDER BY 2 DESC, 1 NULLS FIRST".encode(),
        chosen.values,
    ).fetchall()
    requests = sum(count for _, count, _, _ in found)
    return tuple(
        Share(
            name="-" if name is None else str(name),
            requests=count,
            share=count / requests,
            cost_usd=cost_usd,
            mean_confidence=confidence,
        )
        for name, count, cost_usd, confidence in found
    )
