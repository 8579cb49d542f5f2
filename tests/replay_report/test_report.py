"""The report: one page without network, pictures, and figures that read back as they were."""

from __future__ import annotations

import json
import re
import struct
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from tests.replay_report.reports import bare, named, report
from typing_extensions import override

from emafusion.domain.errors import BadInput
from emafusion.replay.report.charts import charts
from emafusion.replay.report.figures import Report
from emafusion.replay.report.sentences import sentences
from emafusion.replay.report.tables import tables
from emafusion.replay.report.writing import write_report

VOID = {"meta"}


class Reader(HTMLParser):
    """Reads a page, and fails on a tag that is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.addresses: list[str | None] = []
        self.text = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.addresses += [value for name, value in attrs if name in {"src", "href"}]
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text += data


def read(path: Path) -> Reader:
    """Parse a page whole."""
    reader = Reader()
    reader.feed(path.read_text("utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def test_the_page_is_whole_and_has_a_table_behind_each_picture(tmp_path: Path) -> None:
    """Pictures, their tables, the sentences on top; small enough to be mailed."""
    (path,) = write_report(report(), tmp_path / "report.html")
    page = read(path)
    for words in ("Replay of made", "The dial", "Models by class", "What this does not show"):
        assert words in page.text
    assert path.stat().st_size < 3_000_000
    for name in ("curve", "reliability", "heat"):
        assert f'<div id="{name}"' in path.read_text()


def test_the_page_fetches_nothing(tmp_path: Path) -> None:
    """No address of its own makes a browser go anywhere, and its policy forbids it."""
    (path,) = write_report(report(), tmp_path / "report.html")
    assert "default-src 'none'" in path.read_text()
    assert read(path).addresses == []


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", "</script><b>", '"&<!--', "日本語 عربي"]
)
def test_names_are_text_whatever_they_are(tmp_path: Path, text: str) -> None:
    """Names of models, data sets and tables cannot break out of page or JSON."""
    (path,) = write_report(named(text), tmp_path / "report.html")
    page = read(path)
    assert text in page.text
    assert page.seen.count("script") == 2
    specs = re.search(r'type="application/json">(.*?)</script>', path.read_text(), re.DOTALL)
    assert specs is not None
    assert text in json.dumps(json.loads(specs[1]), ensure_ascii=False).replace('\\"', '"')


def test_json_reads_back_as_it_was(tmp_path: Path) -> None:
    """The figures are the report."""
    made = report()
    (path,) = write_report(made, tmp_path / "report.json")
    assert msgspec.json.decode(path.read_bytes(), type=Report) == made


def test_pictures_are_sharp(tmp_path: Path) -> None:
    """A picture a chart, named after it, wide enough for print."""
    paths = write_report(report(), tmp_path / "report.png")
    assert [path.name for path in paths] == [
        "report-curve.png", "report-reliability.png", "report-heat.png",
    ]  # fmt: skip
    for path in paths:
        content = path.read_bytes()
        assert content.startswith(b"\x89PNG")
    width, _ = struct.unpack(">II", paths[0].read_bytes()[16:24])
    assert width > 1000


def test_what_is_unknown_is_a_dash_and_no_picture(tmp_path: Path) -> None:
    """Without scores and costs there is still a page; nothing is drawn, nothing is 0."""
    made = bare()
    assert charts(made) == {}
    told = list(sentences(made))
    assert told == ["None of these answers has a score: there are decisions, but no accuracy."]
    (path,) = write_report(made, tmp_path / "report.html")
    assert "None of these answers has a score" in read(path).text
    dial = tables(made)["dial"].rows[0]
    assert (dial[1], dial[3]) == ("-", "-")


def test_few_queries_are_no_claim() -> None:
    """Below 200 scored queries the page says so first."""
    assert next(iter(sentences(named("few")))).startswith("Cannot tell: 60 scored queries")


def test_an_ending_that_is_none_is_refused(tmp_path: Path) -> None:
    """And nothing is written."""
    with pytest.raises(BadInput, match=r"\.html, \.png, \.json"):
        write_report(report(), tmp_path / "report.pdf")
    assert list(tmp_path.iterdir()) == []
