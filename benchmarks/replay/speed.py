"""How many queries a second a replay decides, end to end, on one core.

Usage: python benchmarks/replay/speed.py TABLE.parquet [--artifact DIR] [--queries 2000]

Times reading the table, encoding and estimating it, and deciding every query at every setting of
the dial, for a router (one call, nothing read) and for all that is served. `decided` counts a
query once for each setting; `whole` is the same with reading and encoding in it. Seconds are CPU,
so that a busy machine does not count.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import polars as pl

from emafusion.build.parts import load_artifact
from emafusion.lab.known import known_from
from emafusion.lab.reading import read_table
from emafusion.lab.replaying import DIAL, Asked, replay_known, stage_of
from emafusion.replay.records import records_of
from emafusion.tables.query import query_of

POLICIES = ("router", "hybrid")


def main() -> None:
    """Time each policy, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("table", type=Path)
    parser.add_argument("--artifact")
    parser.add_argument("--queries", type=int, default=2000)
    asked = parser.parse_args()
    known = known_from(load_artifact(asked.artifact))
    started = time.process_time()
    frame = read_table([asked.table])
    ids = frame["query_id"].unique(maintain_order=True).head(asked.queries)
    records = records_of(frame.filter(pl.col("query_id").is_in(ids.implode())), query_of)
    read_s = time.process_time() - started
    started = time.process_time()
    stage_of(records, known.learned, Asked())
    encode_s = time.process_time() - started
    queries, models = records.row.shape
    told = f"{queries:,} queries, {models} models, {len(DIAL)} settings"
    print(f"{told}; read in {read_s:.2f} s, encoded in {encode_s:.2f} s")
    for policy in POLICIES:
        started = time.process_time()
        done = replay_known(records, known, Asked(policy=policy))
        spent_s = time.process_time() - started
        decided = queries * len(DIAL)
        calls = sum(float(run.calls.mean()) for run in done.runs) / len(DIAL)
        print(
            f"{policy:8s} {decided / (spent_s - encode_s):8,.0f} decided/s, "
            f"{decided / (spent_s + read_s):8,.0f} whole/s, {calls:.2f} calls a query"
        )


if __name__ == "__main__":
    main()
