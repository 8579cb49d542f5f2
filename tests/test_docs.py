"""Docs cannot lie: what is there is in the docs, and what the docs show can be used."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emafusion.build.parts import FREE_JUDGES
from emafusion.cli.main import VERBS
from emafusion.config import parse
from emafusion.gateway.app import ROUTES
from emafusion.gateway.names import PROFILES, ROUTED
from emafusion.wire.options import Options

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXT = {page.name: page.read_text(encoding="utf-8") for page in PAGES if page.is_file()}
WHOLE = "\n".join(TEXT.values())

pytestmark = pytest.mark.skipif(not TEXT, reason="docs are not part of what is tested here")


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_is_in_the_docs(verb: str) -> None:
    """Each verb of the command line is shown somewhere."""
    assert f"emafusion {verb}" in WHOLE


@pytest.mark.parametrize("judge", [*FREE_JUDGES, "llm"])
def test_every_judge_is_explained(judge: str) -> None:
    """Each judge has its line."""
    assert f"| `{judge}` |" in TEXT["deciding.md"]


@pytest.mark.parametrize("option", Options.__dataclass_fields__)
def test_every_option_is_explained(option: str) -> None:
    """Each wish a request may have has its line."""
    assert f"| `{option}` |" in TEXT["gateway.md"]


def test_every_path_and_name_is_explained() -> None:
    """Each path of the gateway and each name of the router is in its page."""
    page = TEXT["gateway.md"]
    paths = [path.replace("/*", "/NAME") for path in ROUTES]
    assert [path for path in paths if path not in page] == []
    assert [name for name in (*ROUTED, *PROFILES) if f"`{name}`" not in page] == []


def examples(language: str) -> list[tuple[str, str]]:
    """Code blocks of a language in all pages: page, code."""
    found = []
    for name, text in TEXT.items():
        found += [(name, code) for code in re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)]
    return found


@pytest.mark.parametrize(("page", "code"), examples("yaml"))
def test_configs_shown_can_be_used(page: str, code: str) -> None:
    """Every config in the docs is a valid one."""
    parse(code, source=page, env={})


@pytest.mark.parametrize(("page", "code"), examples("python"))
def test_python_shown_compiles(page: str, code: str) -> None:
    """Every Python example is valid Python."""
    compile(code, page, "exec")


def test_links_lead_somewhere() -> None:
    """Every relative link of a page is a file of the project."""
    broken = []
    for page in PAGES:
        if page.is_file():
            links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
            broken += [link for link in links if not (page.parent / link).exists()]
    assert broken == []
