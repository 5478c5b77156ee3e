"""Both stores, for every test of the contract; and a PostgreSQL server of our own, that ends with the tests."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.contract.postgres_tools import tool, unprivileged

from stead.store import Store, open_store

OpenStore = Callable[..., Store]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of an empty database: a socket in a directory of its own, no port."""
    initdb, control = tool("initdb"), tool("pg_ctl")
    with tempfile.TemporaryDirectory(prefix="stead-pg-") as name:
        home = Path(name)
        prefix = unprivileged(home)
        data = str(home / "data")
        run = subprocess.run
        run([*prefix, initdb, "-D", data, "-U", "stead", "--no-sync"], check=True, capture_output=True, cwd=home)
        options = f"-c listen_addresses='' -c unix_socket_directories={home} -c fsync=off -c log_min_messages=fatal"
        command = [*prefix, control, "-D", data, "-w", "-o", options]
        run([*command, "-l", str(home / "log"), "start"], check=True, cwd=home, stdout=subprocess.DEVNULL)
        try:
            yield f"postgresql:///postgres?host={home}&user=stead"
        finally:
            run([*command, "-m", "immediate", "stop"], check=True, cwd=home, stdout=subprocess.DEVNULL)


@pytest.fixture
def database(server: str) -> str:
    """The server, without a store."""
    import psycopg

    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute("DROP SCHEMA IF EXISTS stead CASCADE")
    return server


@pytest.fixture(params=["sqlite", "postgres"])
def location(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "postgres":
        return str(request.getfixturevalue("database"))
    return str(tmp_path / ".stead" / "state.db")


@pytest.fixture
def opened(location: str, tmp_path: Path) -> Iterator[OpenStore]:
    """Opens the store as often as a test asks, and makes it the first time."""
    stores: list[Store] = []

    def open_it(key: str = "") -> Store:
        stores.append(open_store(location, directory=tmp_path / ".stead", key=key, create=True))
        return stores[-1]

    yield open_it
    for one in stores:
        one.close()


@pytest.fixture
def store(opened: OpenStore) -> Store:
    return opened()
