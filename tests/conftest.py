"""Fixtures for every test: a clean environment and a data folder of its own."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How long an example takes is a matter of what else the machine does.
settings.register_profile(
    "any machine", deadline=None, suppress_health_check=(HealthCheck.too_slow,)
)
settings.load_profile("any machine")

_SECRET_ENDINGS = ("_API_KEY", "_API_TOKEN", "_AUTH_TOKEN", "_BASE_URL")
_OWN_PREFIX = "EMAFUSION_"


@pytest.fixture(autouse=True)
def emafusion_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Hide provider keys and settings of this machine; give the test an empty data folder."""
    # Workers of a parallel run are told how wide the terminal is; a command must look by itself.
    monkeypatch.delenv("COLUMNS", raising=False)
    for name in list(os.environ):
        if name.endswith(_SECRET_ENDINGS) or name.startswith(_OWN_PREFIX):
            monkeypatch.delenv(name)
    home = tmp_path / "emafusion-home"
    monkeypatch.setenv("EMAFUSION_HOME", str(home))
    return home


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """In a parallel run the real model is loaded by one worker, not by each."""
    for item in items:
        if item.get_closest_marker("local_model"):
            item.add_marker(pytest.mark.xdist_group("local_model"))
