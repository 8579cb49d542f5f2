"""The log as a file: every request whole, in memory that does not grow."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from tests.store.outcomes import answer, escalated_answer, failed_answer, outcome

from emafusion.domain.errors import BadInput, Unready
from emafusion.store.estimates import LabelNames
from emafusion.store.record import Record
from emafusion.store.recording import Recorder
from emafusion.store.texts import Texts
from emafusion.tables.log_export import check_export, export_log

RECORDER = Recorder(texts=Texts(prompts="full"), names=LabelNames())


def records(count: int, *, words: int = 1) -> Iterator[Record]:
    """Some of every kind."""
    for n in range(count):
        given = (answer, escalated_answer, failed_answer)[n % 3]()
        yield RECORDER.record(outcome(f"em-{n}", prompt="word " * words, given=given))


def test_parquet_and_jsonl_hold_the_same(tmp_path: Path) -> None:
    """Typed columns here, names there; nested things can be read back as JSON."""
    export_log(records(1200), tmp_path / "log.parquet")
    export_log(records(1200), tmp_path / "log.jsonl")
    frame = pl.read_parquet(tmp_path / "log.parquet")
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert frame.height == len(lines) == 1200
    assert frame["decision_id"].to_list() == [line["decision_id"] for line in lines]
    assert frame.schema["cost_usd"] == pl.Float64()
    assert frame.schema["escalated"] == pl.Boolean()
    first = frame.row(1, named=True)
    assert json.loads(first["attempts"]) == lines[1]["attempts"]
    assert len(lines[1]["attempts"]) == 2
    assert frame["cost_usd"].null_count() == sum(line["cost_usd"] is None for line in lines)


def test_nothing_is_left_where_it_fails(tmp_path: Path) -> None:
    """Whole or not at all."""

    def breaking() -> Iterator[Record]:
        yield from records(3)
        raise Unready("the log is gone")

    with pytest.raises(Unready, match="the log is gone"):
        export_log(breaking(), tmp_path / "log.jsonl")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("log.csv", r"must end in \.parquet or \.jsonl"),
        ("no/log.jsonl", "its folder does not exist"),
        ("there.jsonl", "is there already"),
    ],
)
def test_what_cannot_be_written_to_is_refused_before_any_work(
    tmp_path: Path, name: str, said: str
) -> None:
    """One line."""
    (tmp_path / "there.jsonl").write_text("")
    with pytest.raises(BadInput, match=said):
        check_export(tmp_path / name, where="--export")


GROWING = """
import resource, sys
from pathlib import Path
from tests.tables.test_log_export import records
from emafusion.tables.log_export import export_log
for count in (1000, int(sys.argv[2])):
    export_log(records(count, words=2000), Path(sys.argv[1]) / f"{count}.parquet")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_log(tmp_path: Path) -> None:
    """Ten thousand requests of 10 KB need no more than a thousand, give or take."""
    done = subprocess.run(
        (sys.executable, "-c", GROWING, str(tmp_path), "10000"),
        env={"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=True,
    )
    few, many = (int(line) for line in done.stdout.split())
    assert many - few < 100 * 1024
