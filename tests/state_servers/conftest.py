"""One PostgreSQL and one Valkey server for all tests of this folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.state_servers.servers import (
    PostgresServer,
    ValkeyServer,
    is_required,
    leave_nothing,
    missing,
)


@pytest.fixture(scope="session")
def server_folder() -> Iterator[Path]:
    """A folder that the servers' user may enter, which pytest's own is not."""
    made = Path(tempfile.mkdtemp(prefix="emafusion-state-"))
    made.chmod(0o755)
    leave_nothing(made)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres_server(server_folder: Path) -> Iterator[PostgresServer]:
    """A running PostgreSQL."""
    _need("postgres")
    server = PostgresServer(server_folder / "postgres")
    yield server
    server.stop("immediate")


@pytest.fixture
def database(postgres_server: PostgresServer) -> Callable[[], str]:
    """Makes empty databases: the URL of another one with each call."""
    import psycopg
    from psycopg import sql

    made = list[str]()

    def make() -> str:
        name = f"db{len(made)}_{next(_NUMBERS)}"
        with psycopg.connect(postgres_server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        made.append(name)
        return postgres_server.url.rpartition("/")[0] + f"/{name}"

    return make


@pytest.fixture
def url(database: Callable[[], str]) -> str:
    """URL of an empty database."""
    return database()


@pytest.fixture(scope="session")
def valkey_server(server_folder: Path) -> Iterator[ValkeyServer]:
    """A running Valkey or Redis."""
    _need("valkey")
    server = ValkeyServer(server_folder / "valkey")
    yield server
    server.stop()


def _need(extra: str) -> None:
    why = missing(extra)
    if why is None:
        return
    if is_required():
        pytest.fail(why)
    pytest.skip(why)


_NUMBERS = iter(range(1_000_000))
