"""Makes the sample table that ships with the package from what record.py wrote.

    python benchmarks/embedded/sample.py outcomes.jsonl src/emafusion/samples/embedded.parquet

The columns of an outcome table and nothing else, in a fixed order, so that the same answers make
the same file.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import polars as pl

from emafusion.lab.reading import whole


def main() -> None:
    """Convert, and say how much."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("outcomes", type=Path)
    parser.add_argument("out", type=Path)
    asked = parser.parse_args()
    frame = pl.read_ndjson(asked.outcomes, infer_schema_length=None)
    table = whole(frame.rename({"cpu_seconds": "cpu_s"})).sort("query_id", "model")
    table.write_parquet(asked.out, compression="zstd", compression_level=19, statistics=False)
    print(f"{table.height:,} rows, {asked.out.stat().st_size / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
