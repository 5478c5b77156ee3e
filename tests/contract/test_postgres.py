"""What only a PostgreSQL store can get wrong."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from stead.core.diagnostics import Refused
from stead.store import open_store
from stead.store.model import LockRequest
from stead.store.schema import MIGRATIONS, VERSION


def refused(location: str, directory: Path, *, create: bool = True) -> str:
    with pytest.raises(Refused) as refusal:
        open_store(location, directory=directory, create=create)
    (told,) = refusal.value.diagnostics
    assert "hunter2" not in told.detail
    return told.code


def run(database: str, *statements: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        for one in statements:
            connection.execute(one.encode())


def test_a_store_that_was_dropped_is_not_taken_for_a_new_one(database: str, tmp_path: Path) -> None:
    open_store(database, directory=tmp_path, create=True).close()
    run(database, "DROP SCHEMA stead CASCADE")
    assert refused(database, tmp_path) == "STEAD-S001"


def test_a_wrong_address_is_not_taken_for_a_new_site(database: str, tmp_path: Path) -> None:
    open_store("", directory=tmp_path, create=True).close()
    assert refused(database, tmp_path) == "STEAD-S001"
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'stead'").fetchone() is None


def test_a_store_is_not_made_unasked(database: str, tmp_path: Path) -> None:
    assert refused(database, tmp_path, create=False) == "STEAD-S014"


def test_a_schema_of_somebody_elses_is_left_alone(database: str, tmp_path: Path) -> None:
    run(database, "CREATE SCHEMA stead", "CREATE TABLE stead.theirs (id int)")
    assert refused(database, tmp_path) == "STEAD-S004"


def test_a_store_of_another_site_is_refused(database: str, tmp_path: Path) -> None:
    open_store(database, directory=tmp_path, create=True).close()
    run(database, "UPDATE stead.meta SET value = 'another' WHERE name = 'site'")
    assert refused(database, tmp_path) == "STEAD-S005"


def test_a_newer_store_is_not_touched(database: str, tmp_path: Path) -> None:
    open_store(database, directory=tmp_path, create=True).close()
    run(database, "UPDATE stead.meta SET value = '999' WHERE name = 'version'")
    assert refused(database, tmp_path) == "STEAD-S006"


def test_a_store_that_lost_a_table_is_damaged(database: str, tmp_path: Path) -> None:
    open_store(database, directory=tmp_path, create=True).close()
    run(database, "DROP TABLE stead.wants")
    store = open_store(database, directory=tmp_path)
    with pytest.raises(Refused) as refusal:
        store.recorded()
    assert refusal.value.diagnostics[0].code == "STEAD-S003"
    store.close()


def test_a_server_that_does_not_answer_is_told_without_the_password(tmp_path: Path) -> None:
    assert refused("postgresql://ada:hunter2@127.0.0.1:1/x", tmp_path) == "STEAD-S009"


def test_a_missing_driver_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *rest: Any, **options: Any) -> Any:
        if name == "psycopg":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.delitem(sys.modules, "psycopg")
    monkeypatch.setattr(builtins, "__import__", without)
    assert refused("postgresql://127.0.0.1/x", tmp_path) == "STEAD-S013"


def test_a_store_of_the_first_version_is_brought_up_to_date(database: str, tmp_path: Path) -> None:
    first = [one.replace("{blob}", "BYTEA").replace("{without_rowid}", "") for one in MIGRATIONS[0]]
    run(
        database,
        "CREATE SCHEMA stead",
        "SET search_path TO stead",
        *first,
        "INSERT INTO meta (name, value) VALUES ('site', 'old'), ('serial', '7'), ('salt', '00'), ('version', '1')",
    )
    store = open_store(database, directory=tmp_path)
    assert (store.site, store.serial()) == ("old", 7)
    store.close()
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT value FROM stead.meta WHERE name = 'version'").fetchone()
        assert found == (str(VERSION),)


def test_the_servers_clock_says_who_is_late(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    here, there = (open_store(database, directory=tmp_path, create=True) for _ in range(2))
    with here.lock(LockRequest("ada", "")):
        monkeypatch.setattr("time.time", lambda: 4e9)  # this host believes in the year 2096
        holder = there.holder()
        assert holder is not None
        assert holder.alive
        with pytest.raises(Refused), there.lock(LockRequest("bob", "")):
            pass
    here.close()
    there.close()
