"""A file that is not as it should be is told apart from a new site, each time with its own code."""

from __future__ import annotations

import gc
import json
import os
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from stead.core.address import Address
from stead.core.diagnostics import Refused
from stead.core.recorded import Record
from stead.store import Store, open_store
from stead.store.model import LockRequest, Outcome, Start, Writes
from stead.store.schema import VERSION

FIRST_VERSION = Path(__file__).with_name("version-1.sql")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / ".stead"


def make(home: Path) -> Path:
    open_store("", directory=home, create=True).close()
    return home / "state.db"


def refused(home: Path, *, create: bool = True) -> str:
    with pytest.raises(Refused) as refusal:
        open_store("", directory=home, create=create)
    (told,) = refusal.value.diagnostics
    assert len(told.detail) > 40
    return told.code


def fill(store: Store, count: int) -> None:
    records = [Record(address=Address("a", "instances", "web", one), leases={"uuid": str(one)}) for one in range(count)]
    with store.lock(LockRequest("ada", "")) as hold:
        run = store.start(hold, Start("ada", "", "p", 0), Writes(records=records))
        store.finish(hold, run, Outcome.DONE, Writes())


def test_only_its_owner_can_read_it(home: Path) -> None:
    path = make(home)
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    store = open_store("", directory=home)
    fill(store, 1)
    assert {stat.S_IMODE(one.stat().st_mode) for one in home.glob("state.db*")} == {0o600}
    store.close()


def test_one_that_nobody_closed_is_closed(home: Path) -> None:
    store = open_store("", directory=home, create=True)
    assert "state.db-wal" in {one.name for one in home.iterdir()}
    del store
    gc.collect()
    assert "state.db-wal" not in {one.name for one in home.iterdir()}


def test_it_is_not_made_unasked(home: Path) -> None:
    assert refused(home, create=False) == "STEAD-S014"
    assert not home.exists()


def test_a_lost_file_is_not_taken_for_a_new_site(home: Path) -> None:
    make(home).unlink()
    assert refused(home) == "STEAD-S001"


def test_an_empty_file_is_not_taken_for_a_new_site(home: Path) -> None:
    home.mkdir()
    (home / "state.db").touch()
    assert refused(home) == "STEAD-S002"


@pytest.mark.parametrize("kept", [50, 4096, 20_000])
def test_a_file_cut_short_is_damaged(home: Path, kept: int) -> None:
    store = open_store("", directory=home, create=True)
    fill(store, 500)
    store.close()
    path = home / "state.db"
    content = path.read_bytes()
    assert len(content) > kept
    path.write_bytes(content[:kept])
    assert refused(home) == "STEAD-S003"


def test_a_file_with_rubbish_in_it_is_damaged(home: Path) -> None:
    store = open_store("", directory=home, create=True)
    fill(store, 500)
    store.close()
    path = home / "state.db"
    content = bytearray(path.read_bytes())
    content[4096:] = bytes(len(content) - 4096)
    path.write_bytes(content)
    with pytest.raises(Refused) as refusal:
        open_store("", directory=home).recorded()
    assert refusal.value.diagnostics[0].code == "STEAD-S003"


def test_a_file_that_is_no_database_is_not_touched(home: Path) -> None:
    home.mkdir()
    path = home / "state.db"
    path.write_text("these are my notes\n" * 20, encoding="utf-8")
    assert refused(home) == "STEAD-S004"
    assert path.read_text(encoding="utf-8").startswith("these are my notes")


def test_another_programs_database_is_not_touched(home: Path) -> None:
    home.mkdir()
    connection = sqlite3.connect(home / "state.db")
    connection.execute("CREATE TABLE theirs (id)")
    connection.close()
    assert refused(home) == "STEAD-S004"


def test_the_store_of_another_site_is_refused(home: Path, tmp_path: Path) -> None:
    make(home)
    other = make(tmp_path / "other")
    (home / "state.db").write_bytes(other.read_bytes())
    assert refused(home) == "STEAD-S005"


def test_a_newer_store_is_not_touched(home: Path) -> None:
    path = make(home)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    assert refused(home) == "STEAD-S006"


def test_a_store_that_moved_to_a_new_checkout_is_known_again(home: Path) -> None:
    site = open_store("", directory=home, create=True).site
    (home / "site.json").unlink()
    assert open_store("", directory=home).site == site
    assert json.loads((home / "site.json").read_text())["site"] == site


def test_a_place_where_nothing_can_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(Refused) as refusal:
        open_store("", directory=tmp_path / "file" / ".stead", create=True)
    assert refusal.value.diagnostics[0].code == "STEAD-S009"


def test_two_that_come_first_at_once_make_one_store(home: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from stead.store import open_store;"
        "print(open_store('', directory=Path(sys.argv[1]), create=True).site)"
    )
    command = [sys.executable, "-c", program, str(home)]
    processes = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(4)]
    sites = {process.communicate(timeout=30)[0].strip() for process in processes}
    assert len(sites) == 1
    assert sites == {open_store("", directory=home).site}


def test_a_directory_made_by_another_at_the_same_moment_is_taken(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    looks = iter([False])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "is_dir", lambda path: next(looks, os.path.isdir(path)))  # noqa: PTH112
        open_store("", directory=home, create=True).close()
    assert open_store("", directory=home).site


def test_a_birth_cut_short_leaves_no_store_behind(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("stead.store.init.first_rows", killed)
        with pytest.raises(KeyboardInterrupt):
            open_store("", directory=home, create=True)
    assert not (home / "state.db").exists()
    open_store("", directory=home, create=True).close()


def test_a_store_of_the_first_version_is_brought_up_to_date(home: Path) -> None:
    home.mkdir()
    connection = sqlite3.connect(home / "state.db")
    connection.executescript(FIRST_VERSION.read_text(encoding="utf-8"))
    connection.close()
    store = open_store("", directory=home)
    recorded = store.recorded()
    (record,) = recorded.resources.values()
    assert recorded.serial == 7
    assert (record.address, record.host, record.leases) == (
        Address("acme", "instances", "web", 0),
        "compute-1",
        {"uuid": "u-1"},
    )
    assert record.after == (Address("", "images", "debian"),)
    assert record.wants["compute-1"].fields() == {"vcpus": 2, "name": "web-0"}
    assert [one.address.key for one in recorded.in_flight] == [1]
    assert store.outputs() == {"a": 1}
    store.close()
    made = sqlite3.connect(make(home.with_name("new")))
    migrated = sqlite3.connect(home / "state.db")
    schema = "SELECT type, name FROM sqlite_master WHERE sql IS NOT NULL ORDER BY 1, 2"
    assert migrated.execute(schema).fetchall() == made.execute(schema).fetchall()
    assert migrated.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_a_second_opening_in_a_process_gives_no_lock_of_the_first_away(tmp_path: Path) -> None:
    """POSIX drops a process's locks on a file when any descriptor of it is closed; the log would go with them."""
    where = str(tmp_path / ".stead" / "state.db")
    first = open_store(where, directory=tmp_path / ".stead", create=True)
    second = open_store(where, directory=tmp_path / ".stead")
    other = (
        "from pathlib import Path; from stead.store import open_store; "
        f"open_store({where!r}, directory=Path({str(tmp_path / '.stead')!r})).close()"
    )
    subprocess.run([sys.executable, "-c", other], check=True)
    assert Path(f"{where}-wal").exists()  # the other process was not the last, and knew it
    second.close()
    assert first.serial() == 0
    first.close()
