"""The pages of the documentation, and the code in them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
}
"""Path -> text."""

_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """Each block of code in that language, with the page and number it goes by."""
    for page, text in PAGES.items():
        found = [code for kind, code in _BLOCK.findall(text) if kind == language]
        yield from ((f"{page}, {language} {number}", code) for number, code in enumerate(found, 1))


def commands() -> Iterator[tuple[str, str]]:
    """Each line that calls `emafusion`, in indented code, blocks or between backquotes."""
    for page, text in PAGES.items():
        if page == "docs/cli.md":  # made from the commands themselves
            continue
        lines = re.findall(r"^(?:    |\$ )(emafusion (?!is ready).*)$", text, flags=re.MULTILINE)
        quoted = re.findall(r"`(emafusion [a-z][^`]*)`", text)
        yield from ((page, line.partition("  ")[0]) for line in (*lines, *quoted))


def sections(page: str) -> set[str]:
    """Anchors of a page's headings, as they are made where it is shown."""
    headings = re.findall(r"^#+ (.+)$", PAGES[page], flags=re.MULTILINE)
    words = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {word.strip().replace(" ", "-") for word in words}
