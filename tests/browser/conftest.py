"""A browser for the tests of this folder: required in CI, else used where there is one."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from tests.browser.chromium import Browser, chromium


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A browser with one page, the same for all tests of a file."""
    if chromium() is None:
        how = "scripts/browser installs a browser"
        pytest.fail(how) if os.environ.get("TEST_BROWSER") == "required" else pytest.skip(how)
    with Browser(tmp_path_factory.mktemp("browser")) as made:
        yield made
