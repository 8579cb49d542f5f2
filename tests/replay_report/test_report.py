"""The report: one page without network, pictures, and figures that read back as they were."""

from __future__ import annotations

import hashlib
import re
import struct
import sys
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import polars as pl
import pytest
from tests.lab.recorded import recorded
from tests.replay_report.reports import NUMBERS, crowd, named, records, report, reported, without
from typing_extensions import override

from emafusion.domain.errors import BadInput, Unready
from emafusion.replay.report.figures import Report
from emafusion.replay.report.pictures.all import specs
from emafusion.replay.report.sentences import tiles, verdict
from emafusion.replay.report.tables import tables
from emafusion.replay.report.writing import write_report

VOID = {"meta", "input"}
MEGABYTE = 1_000_000
RUNS = {"script", "iframe", "object", "embed", "link", "base", "form", "foreignobject", "image"}
"""Elements that could run or fetch something."""


class Reader(HTMLParser):
    """Reads a page, and fails on a tag that is not closed in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    @override
    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs

    @override
    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    @override
    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in {"script", "style"}:
            self.text += data

    def names(self) -> set[str]:
        """Names of all attributes."""
        return {name for name, _ in self.attributes}

    def values(self, name: str) -> list[str | None]:
        """What an attribute is, wherever it stands."""
        return [value for each, value in self.attributes if each == name]


def read(path: Path) -> Reader:
    """Parse a page whole."""
    reader = Reader()
    reader.feed(path.read_text("utf-8"))
    reader.close()
    assert reader.open == []
    return reader


def written(made: Report, tmp_path: Path) -> Reader:
    """The page of a report, parsed."""
    (path,) = write_report(made, tmp_path / "report.html")
    return read(path)


def test_the_page_is_whole_and_has_a_table_behind_each_picture(tmp_path: Path) -> None:
    """Pictures, their tables, the figures on top, the limits below; small enough to be mailed."""
    page = written(report(), tmp_path)
    for words in ("Replay of made", "Cost and quality", "Every setting of the dial",
                  "Every model in every class", "What this does not show"):  # fmt: skip
        assert words in page.text
    ids = [name for name in page.values("id") if name]
    assert {"curve", "curve-linear", "shares", "reliability", "datasets", "heat"} <= set(ids)
    assert {f"table-{name}" for name in tables(report())} <= set(ids)
    assert len(ids) == len(set(ids))
    assert (tmp_path / "report.html").stat().st_size < MEGABYTE


def test_every_number_in_a_table_stands_to_the_right(tmp_path: Path) -> None:
    """Words are marked as words, and only the first columns are."""
    written(report(), tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    (table,) = re.findall(r'<table id="table-models">.*?</table>', text)
    for row in re.findall(r"<tr>(.*?)</tr>", table):
        marked = re.findall(r"<t[dh](?: scope=\"col\")?( class=t)?>", row)
        assert [bool(each) for each in marked] == [True, False, False, False, False, False]


def test_the_page_fetches_nothing_and_runs_its_own_script_alone(tmp_path: Path) -> None:
    """No address makes a browser go anywhere; the policy names the script by its hash."""
    page = written(report(), tmp_path)
    text = (tmp_path / "report.html").read_text("utf-8")
    assert not {"src", "href", "xlink:href", "action", "data", "srcset"} & page.names()
    assert not any(name.startswith("on") for name in page.names())
    assert not re.findall(r"url\((?!#)|@import|https?://(?!www\.w3\.org/)", text)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(value for value in page.values("content") if value and "default-src" in value)
    assert policy.startswith("default-src 'none';")
    assert f"script-src 'sha256-{digest}';" in policy


HOSTILE = [
    "<script>alert(1)</script>",
    "</script><b>",
    "</svg></style><img src=x onerror=alert(1)>",
    '"&<!--',
    "日本語 عربي",
    'a\\"]; datum["x"] + "',
    "line\u2028separator\n\ttab",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_names_are_text_whatever_they_are(tmp_path: Path, text: str) -> None:
    """Names of models, data sets, routes and tables cannot break out of the page or a picture."""
    page = written(named(text), tmp_path)
    assert text in page.text
    assert [tag for tag in page.seen if tag in RUNS] == ["script"]
    assert "img" not in page.seen
    assert "b" not in page.seen
    assert not any(name.startswith("on") for name in page.names())
    names = [label for label in page.values("aria-label") if label]
    assert any(label.startswith(f"{text}0; ") for label in names)


def test_names_are_text_in_pictures(tmp_path: Path) -> None:
    """The same names can be drawn."""
    assert write_report(named(" ".join(HOSTILE)), tmp_path / "report.png")


def test_json_reads_back_as_it_was(tmp_path: Path) -> None:
    """The figures are the report."""
    for made in (report(), without(*NUMBERS)):
        (path,) = write_report(made, tmp_path / "report.json")
        assert msgspec.json.decode(path.read_bytes(), type=Report) == made


def test_pictures_are_sharp(tmp_path: Path) -> None:
    """A sheet of all, and each alone beside it, wide enough for print."""
    paths = write_report(report(), tmp_path / "report.png")
    assert [path.name for path in paths] == [
        "report.png", "report-curve.png", "report-curve-linear.png", "report-shares.png",
        "report-reliability.png", "report-datasets.png", "report-heat.png",
    ]  # fmt: skip
    for path in paths:
        assert path.read_bytes().startswith(b"\x89PNG")
    width, height = struct.unpack(">II", paths[0].read_bytes()[16:24])
    assert width > 1500
    assert height > width


@pytest.mark.parametrize("unknown", [("score",), ("cost_usd",), ("latency_s",), NUMBERS])
def test_what_is_unknown_is_left_out_and_never_0(tmp_path: Path, unknown: tuple[str, ...]) -> None:
    """There is still a page of what is known, and it says what is not."""
    made = without(*unknown)
    page = written(made, tmp_path)
    assert "None" not in page.text
    assert "nan" not in page.text
    columns = tables(made)["dial"].columns
    assert ("accuracy" in columns) is ("score" not in unknown)
    assert ("$ per 1,000" in columns) is ("cost_usd" not in unknown)
    assert ("seconds, median" in columns) is ("latency_s" not in unknown)
    assert "shares" in specs(made)
    assert ("curve" in specs(made)) is ("score" not in unknown)


def test_what_is_unknown_for_some_is_a_dash() -> None:
    """One model without a price: its row says so, and it has no place on the curve."""
    frame = recorded(300).with_columns(
        cost_usd=pl.when(pl.col("model") == "dear").then(None).otherwise(pl.col("cost_usd"))
    )
    made = reported(records(frame))
    costs = {row[0]: row[4] for row in tables(made)["models"].rows}
    assert costs == {"clerk": "1", "scholar": "2", "dear": "-"}
    assert "dear;" not in str(specs(made)["curve"])


def test_without_scores_no_accuracy_is_claimed() -> None:
    """Decisions alone: one line says so, and no figure stands on top."""
    made = without("score")
    assert list(tiles(made)) == []
    assert list(verdict(made)) == [
        "No answer here has a score: there are decisions, but no accuracy."
    ]


def test_without_costs_the_dial_is_the_axis() -> None:
    """Accuracy can still be seen along the dial."""
    made = without("cost_usd")
    assert "quality_weight" in str(specs(made)["curve"])
    assert "US dollars" not in str(specs(made)["curve"])
    assert [tile.label for tile in tiles(made)] == ["at quality_weight 1"]


def test_few_queries_are_no_claim() -> None:
    """Below 200 scored queries the page says so first, and has no figures on top."""
    made = report(60)
    assert next(verdict(made)).startswith("Cannot tell: 60 scored queries")
    assert list(tiles(made)) == []


def test_every_figure_on_top_has_its_interval() -> None:
    """A difference that chance may have made is called so."""
    found = list(tiles(report()))
    assert [tile.label for tile in found] == [
        "at the same price", "at a quarter of the price", "at an eighth of the price",
        "of the price for equal accuracy",
    ]  # fmt: skip
    assert all(re.search(r"95 %: \S+ to \S+", tile.detail) for tile in found)
    assert not any("cannot be told" in tile.detail for tile in found)


@pytest.mark.parametrize("ending", ["html", "png", "json"])
def test_one_query_is_a_report_too(tmp_path: Path, ending: str) -> None:
    """And so is one setting of the dial."""
    assert write_report(reported(records(recorded(1)), weights=(0.5,)), tmp_path / f"one.{ending}")


def test_two_hundred_models_in_sixty_classes_stay_legible(tmp_path: Path) -> None:
    """The picture is cut, and says by how much; the tables are whole; it can still be mailed."""
    page = written(crowd(), tmp_path)
    assert "leaves out 176 models and 36 classes" in page.text
    assert page.text.count("suite/task 59") == 200
    assert "vendor/model-199-instruct" in page.text
    assert (tmp_path / "report.html").stat().st_size < 3 * MEGABYTE


def test_an_ending_that_is_none_is_refused(tmp_path: Path) -> None:
    """And nothing is written."""
    with pytest.raises(BadInput, match=r"\.html, \.png, \.json"):
        write_report(report(), tmp_path / "report.pdf")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_none_is_one_line(tmp_path: Path) -> None:
    """It is told before the work, and where it is written."""
    with pytest.raises(BadInput, match="its folder does not exist"):
        write_report(report(), tmp_path / "nowhere" / "report.json")


def test_pictures_need_the_extra_and_figures_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the library is absent, one line says how to get it."""
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    with pytest.raises(Unready, match=r"pip install 'emafusion\[train\]'"):
        write_report(report(), tmp_path / "report.html")
    assert write_report(report(), tmp_path / "report.json")


def test_a_page_is_replaced_whole(tmp_path: Path) -> None:
    """No draft is left behind."""
    for _ in range(2):
        write_report(report(), tmp_path / "report.json")
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]
