"""What a set of logged requests comes to."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import dataclass

from emafusion.store.filter import Where
from emafusion.store.rows import Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one candidate or route had of it; `share`: of the requests, 0..1."""

    name: str
    requests: int
    share: float
    cost_usd: float | None
    mean_confidence: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Sums and percentiles over requests.

    Sums are over the requests where the figure is known, None if it is for none; `unpriced` is the
    number of requests whose cost is unknown, `compared` of those that `saved_usd` is over.
    Percentiles are by nearest rank, None without requests. A candidate named `-` gave no answer
    of its own: the request failed, or several were fused.
    """

    requests: int
    failed: int
    escalated: int
    cost_usd: float | None
    unpriced: int
    saved_usd: float | None
    baseline_usd: float | None
    compared: int
    mean_confidence: float | None
    latency_p50_s: float | None
    latency_p95_s: float | None
    overhead_p50_ms: float | None
    overhead_p95_ms: float | None
    candidates: tuple[Share, ...]
    routes: tuple[Share, ...]


def totals(connection: sqlite3.Connection, chosen: Where) -> Totals:
    """Sum up what the condition chooses; reads the narrow table alone where it can."""
    sums = connection.execute(
        f"""SELECT count(*), coalesce(sum(o.status >= 400), 0), coalesce(sum(o.escalated), 0),
            sum(o.cost_usd), count(*) - count(o.cost_usd), sum(o.saved_usd),
            sum(o.baseline_usd) FILTER (WHERE o.saved_usd IS NOT NULL), count(o.saved_usd),
            avg(o.confidence)
        FROM {chosen.tables} WHERE {chosen.sql}""",  # noqa: S608 - made of our own words
        chosen.values,
    ).fetchone()
    requests = int(sums[0])
    return Totals(
        requests=requests,
        failed=sums[1],
        escalated=sums[2],
        cost_usd=sums[3],
        unpriced=sums[4],
        saved_usd=sums[5],
        baseline_usd=sums[6],
        compared=sums[7],
        mean_confidence=sums[8],
        latency_p50_s=_percentile(connection, chosen, column="latency_s", rank=_rank(requests, 50)),
        latency_p95_s=_percentile(connection, chosen, column="latency_s", rank=_rank(requests, 95)),
        overhead_p50_ms=_percentile(
            connection, chosen, column="overhead_ms", rank=_rank(requests, 50)
        ),
        overhead_p95_ms=_percentile(
            connection, chosen, column="overhead_ms", rank=_rank(requests, 95)
        ),
        candidates=_shares(connection, chosen, column="candidate"),
        routes=_shares(connection, chosen, column="route"),
    )


def _rank(requests: int, percent: int) -> int:
    """Place of the percentile among the sorted values, from 0.

    >>> _rank(1, 95), _rank(100, 95), _rank(3, 50)
    (0, 94, 1)
    """
    return max(0, math.ceil(requests * percent / 100) - 1)


def _percentile(
    connection: sqlite3.Connection, chosen: Where, *, column: str, rank: int
) -> float | None:
    found = connection.execute(
        f"SELECT o.{column} FROM {chosen.tables} WHERE {chosen.sql} "  # noqa: S608 - our own words
        f"ORDER BY o.{column} LIMIT 1 OFFSET {rank}",
        chosen.values,
    ).fetchone()
    return None if found is None else float(found[0])


def _shares(connection: sqlite3.Connection, chosen: Where, *, column: str) -> tuple[Share, ...]:
    """Requests by the values of one column, the largest share first."""
    found: list[tuple[Value, int, float | None, float | None]] = connection.execute(
        f"SELECT o.{column}, count(*), sum(o.cost_usd), avg(o.confidence) "  # noqa: S608 - the same
        f"FROM {chosen.tables} WHERE {chosen.sql} GROUP BY 1 ORDER BY 2 DESC, 1",
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
