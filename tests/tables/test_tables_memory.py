"""Memory: an import holds some of a file, however large it is."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import resource, sys
from pathlib import Path
from emafusion.tables.importing.kinds import KINDS
from emafusion.tables.importing.run import Request, import_table
source, out = map(Path, sys.argv[1:])
done = import_table(Request(importer=KINDS["jsonl"].importer, sources=(source,), out=out))
print(done.outcomes.rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
TEXT = "some words of an answer that goes on and on; " * 200


def _source(path: Path, queries: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        for number in range(queries):
            prompt = f"{number}: {TEXT}"
            row = {"query_id": number, "prompt": prompt, "model": "m", "response": prompt[::-1]}
            file.write(f"{json.dumps(row)}\n")
    return path


def _peak_mb(folder: Path, queries: int) -> int:
    source = _source(folder / f"{queries}.jsonl", queries)
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, source, folder / f"{queries}.parquet"],
        capture_output=True,
        text=True,
        check=True,
    )
    rows, peak_mb = map(int, done.stdout.split())
    assert rows == queries
    return peak_mb


def test_a_file_larger_by_a_hundred_megabytes_takes_little_more_memory(tmp_path: Path) -> None:
    """The peak of 144 MB is hardly above that of 36 MB; both are written and sorted out."""
    small, large = _peak_mb(tmp_path, 2_000), _peak_mb(tmp_path, 8_000)
    size_mb = (tmp_path / "8000.jsonl").stat().st_size / 2**20
    assert size_mb > 130
    assert large - small < 0.4 * 0.75 * size_mb
