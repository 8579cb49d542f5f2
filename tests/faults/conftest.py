"""A provider that does what it should not, and real gateway processes in front of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from tests.faults.faulty import Faulty, start
from tests.faults.serving import Served, models, serve


class StartServed(Protocol):
    """Starts a gateway in front of models of these names; see `serving.serve`."""

    def __call__(self, *names: str, gateway: str = "", more: str = "", pool: str = "") -> Served:
        """Start it."""
        ...


@pytest.fixture(scope="module")
def faulty() -> Iterator[Faulty]:
    """The provider, for all tests of a file."""
    provider = Faulty()
    end = start(provider)
    yield provider
    end()


@pytest.fixture
def start_served(faulty: Faulty, tmp_path: Path) -> Iterator[StartServed]:
    """Starts gateways that end with the test."""
    ends: list[Callable[[], None]] = []

    def started(*names: str, gateway: str = "", more: str = "", pool: str = "") -> Served:
        folder = tmp_path / f"gateway-{len(ends)}"
        entries = pool.replace("URL", faulty.url) or models(faulty.url, *names)
        served = serve(folder, entries, gateway=gateway, more=more)
        ends.append(served.stop)
        return served

    faulty.now.clear()
    faulty.plan.clear()
    yield started
    for end in ends:
        end()
