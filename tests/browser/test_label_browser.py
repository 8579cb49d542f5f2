"""The page of labels in a real browser: keys, focus, and that its own policy lets it work."""

from __future__ import annotations

from pathlib import Path

from tests.browser.chromium import Browser
from tests.gateway.labelled import label_page
from tests.gateway.test_label_page import EVIL, fill

MARKED = "document.querySelector('[name=id]')?.value"
ANSWER = "document.querySelector('.answer')"
ANSWER = "document.querySelector('.answer')"
SHOWN = "document.body.innerText"


def asked(browser: Browser, decision_id: str) -> None:
    """Wait until the page asks about this answer, its script loaded."""
    browser.wait(f"{MARKED} === '{decision_id}' && document.readyState === 'complete'")


def test_a_person_labels_by_keys(browser: Browser, tmp_path: Path) -> None:
    """Right, partly, back, wrong, and the end; what the log holds stays text."""
    log = fill(tmp_path / "log.sqlite", ("What is 2 + 2?", "4"), (EVIL, EVIL), ("Why?", "So."))
    with label_page(log) as page:
        browser.go(page.url)
        assert browser.run(f"getComputedStyle({ANSWER}).borderLeftWidth") == "3px"
        browser.press("r")
        asked(browser, "em-1")
        assert "Kept as right." in str(browser.run(SHOWN))
        assert "<script>alert(1)</script>" in str(browser.run(SHOWN))
        browser.press("5")
        asked(browser, "em-2")
        browser.press("b")
        asked(browser, "em-1")
        browser.press("g")
        assert browser.run("document.activeElement.id") == "grade"
        browser.press("0")
        browser.press("Enter")
        asked(browser, "em-2")
        browser.press("w")
        browser.wait(f"{SHOWN}.includes('That is all of this draw')")
        given = [(each.decision_id, each.score) for each in page.desk.reader.feedback()]
        assert given == [("em-0", 1.0), ("em-1", 0.5), ("em-1", 0.0), ("em-2", 0.0)]


def test_keys_can_be_turned_off_and_all_can_be_reached_by_tab(
    browser: Browser, tmp_path: Path
) -> None:
    """Single keys disturb who dictates; every control has a name and the focus is seen."""
    with label_page(fill(tmp_path / "log.sqlite", ("What is 2 + 2?", "4"))) as page:
        browser.go(page.url)
        browser.run("document.getElementById('keys').click()")
        browser.press("r")
        assert browser.run(MARKED) == "em-0"
        browser.run("localStorage.clear()")
        nameless = (
            "[...document.querySelectorAll('button, input:not([type=hidden]), progress')]"
            ".filter(e => !(e.innerText || e.ariaLabel || e.labels?.length)).length"
        )
        assert browser.run(nameless) == 0
        assert browser.run("document.documentElement.scrollWidth <= innerWidth") is True
