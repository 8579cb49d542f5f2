"""Small tables as files."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

Row = Mapping[str, object]

GOOD: Row = {"query_id": "q1", "prompt": "What is 2 + 2?", "model": "small", "score": 1.0}


def jsonl(path: Path, rows: Iterable[Row]) -> Path:
    """Write rows as JSON Lines."""
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    return path


def good(**changed: object) -> Row:
    """A good row with some cells changed."""
    return {**GOOD, **changed}
