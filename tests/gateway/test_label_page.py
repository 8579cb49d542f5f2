"""The page of labels: plain forms, for who has its address; what a log holds stays text."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from tests.gateway.labelled import TOKEN, LabelPage, label_page
from tests.store.outcomes import answer, outcome

from emafusion.store.log import OutcomeLog

EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)> &amp; \x1b[31m \u202e"


def fill(path: Path, *texts: tuple[str, str]) -> Path:
    """A log of questions and answers, the first the newest."""
    now = time.time()

    async def write() -> None:
        log = OutcomeLog.open(path)
        for number, (prompt, text) in enumerate(texts):
            given = outcome(
                f"em-{number}", prompt=prompt, given=answer(text), created_at=now - number
            )
            await log.append(given)
        await log.close()

    asyncio.run(write())
    return path


@pytest.fixture
def page(tmp_path: Path) -> Iterator[LabelPage]:
    """The page over two answers."""
    log = fill(tmp_path / "log.sqlite", ("What is 2 + 2?", "4"), ("And 3 + 3?", "7"))
    with label_page(log) as made:
        yield made


def cookie(page: LabelPage) -> str:
    """A new reader's cookie; the first answer lies before them then."""
    said = page.get()
    assert said.status == 200
    assert "; HttpOnly; SameSite=Strict" in said.headers["set-cookie"]
    return said.headers["set-cookie"].partition(";")[0]


def asked(text: bytes) -> str:
    """Which answer a page asks about."""
    found = re.search(rb'name="id" value="([^"]*)"', text)
    return "" if found is None else found[1].decode()


def test_a_label_is_given_by_a_plain_form(page: LabelPage) -> None:
    """It is in the log at once, the next answer follows, and reloading says nothing twice."""
    mine = cookie(page)
    first = page.get(cookie=mine)
    assert b"What is 2 + 2?" in first.raw
    assert b"0 of 2 looked at" in first.raw
    sent = page.post({"id": "em-0", "say": "right"}, cookie=mine)
    assert (sent.status, sent.headers["location"]) == (303, f"/{TOKEN}/")
    second = page.get(cookie=mine).raw
    assert b"Kept as right." in second
    assert b"1 of 2 looked at" in second
    assert asked(second) == "em-1"
    page.post({"id": "em-1", "say": "grade", "grade": "0.25"}, cookie=mine)
    last = page.get(cookie=mine).raw
    assert b"That is all of this draw" in last
    assert b"Labels so far: 2" in last
    assert [each.score for each in page.desk.reader.feedback()] == [1.0, 0.25]
    page.post({"say": "back"}, cookie=mine)
    again = page.get(cookie=mine).raw
    assert asked(again) == "em-1"
    assert b"You are looking at it again" in again


def test_two_browsers_are_not_asked_the_same(page: LabelPage) -> None:
    """Each has its own answer; who finds nothing left may take one over."""
    ann, ben = cookie(page), cookie(page)
    assert asked(page.get(cookie=ann).raw) == "em-0"
    assert asked(page.get(cookie=ben).raw) == "em-1"
    page.post({"id": "em-0", "say": "wrong"}, cookie=ann)
    assert b"open in another window" in page.get(cookie=ann).raw
    page.post({"say": "take"}, cookie=ann)
    assert asked(page.get(cookie=ann).raw) == "em-1"


def test_texts_of_the_log_stay_texts(tmp_path: Path) -> None:
    """No markup of theirs is any, and code keeps its lines; nothing may be run or fetched."""
    with label_page(fill(tmp_path / "log.sqlite", (EVIL, f"{EVIL}\n```py\na < b\n```"))) as page:
        said = page.get()
        text = said.raw.decode()
        assert "<script>alert" not in text
        assert "<img" not in text
        assert "\x1b" not in text
        assert "<pre><code>a &lt; b\n</code></pre>" in text
        assert "<script>alert(1)</script><img src=x onerror=alert(2)> &amp;" in unescape(text)
        policy = said.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
        assert re.findall(r'(?:src|href)="([^"]*)"', text) == ["data:,", "page.css", "page.js"]
        assert not re.findall(r"<[^>]* on\w+=|<style| style=", text)


def test_its_files_are_there(page: LabelPage) -> None:
    """And nothing else is."""
    for name, kind in (("page.css", "text/css"), ("page.js", "text/javascript")):
        said = page.get(f"/{TOKEN}/{name}")
        assert (said.status, said.headers["content-type"].partition(";")[0]) == (200, kind)
        assert said.headers["x-content-type-options"] == "nosniff"
    for path in ("page.py", "../page.css", "x/page.css", "%2e%2e/page.css"):
        assert page.get(f"/{TOKEN}/{path}").status == 404
    assert page.get(f"/{TOKEN}").headers["location"] == f"/{TOKEN}/"


@pytest.mark.parametrize("path", ["/", "/wrong/", f"/{TOKEN[:-1]}/", "/v1/models", "/health"])
def test_without_the_token_nothing_is_told(page: LabelPage, path: str) -> None:
    """Neither what there is nor that there is something."""
    said = page.get(path)
    assert said.status == 404
    assert TOKEN.encode() not in said.raw
    assert b"2 + 2" not in said.raw


def test_other_names_of_this_machine_are_refused(page: LabelPage) -> None:
    """A page elsewhere whose name is made to lead here (DNS rebinding) gets nothing."""
    for host in ("evil.example", f"evil.example:{page.desk.wanted}", "127.0.0.1", "[::1]:80"):
        assert page.get(host=host).status == 403
    port = page.gateway.url.rpartition(":")[2]
    assert page.get(host=f"localhost:{port}").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "https://127.0.0.1"},
        {"sec_fetch_site": "cross-site"},
        {"sec_fetch_site": "same-site"},
    ],
)
def test_forms_of_other_sites_are_refused(page: LabelPage, headers: dict[str, str]) -> None:
    """Even where they know the address."""
    mine = cookie(page)
    said = page.post({"id": "em-0", "say": "right"}, cookie=mine, **headers)
    assert said.status == 403
    assert list(page.desk.reader.feedback()) == []


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"id": "em-0", "say": "drop table"},
        {"id": "em-0", "say": "grade", "grade": "2"},
        {"id": "em-0", "say": "grade", "grade": "nan"},
        {"id": "em-0", "say": "grade"},
        {f"f{number}": "x" for number in range(20)},
    ],
)
def test_what_is_no_label_is_told_on_a_page(page: LabelPage, fields: dict[str, str]) -> None:
    """And nothing is kept."""
    said = page.post(fields, cookie=cookie(page))
    assert said.status == 400
    assert said.headers["content-type"].startswith("text/html")
    assert list(page.desk.reader.feedback()) == []


def test_an_empty_log_is_no_mistake(tmp_path: Path) -> None:
    """It says what to do, and looks again when asked."""
    with label_page(fill(tmp_path / "log.sqlite"), source="audit") as page:
        mine = cookie(page)
        assert b"is without an audit" in page.get(cookie=mine).raw
        assert page.post({"say": "more"}, cookie=mine).status == 303
