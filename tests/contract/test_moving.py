"""A store that moves between SQLite and PostgreSQL: nothing is lost, and only one of the two is open afterwards."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stead.cli import main
from stead.core.address import Address, order
from stead.core.diagnostics import Refused
from stead.core.metered import Metered
from stead.core.recorded import Record
from stead.core.want import Body, Want
from stead.store import Store, open_store, place_at
from stead.store.model import LockRequest, Outcome, Start, Writes

CLAIM = LockRequest("ada", "a test")


def _filled(store: Store) -> None:
    want = Want.of(Body.of({"memory": 1, "nämé": "zürich"}), {"name": "x"})
    some = [Address("acme", "instances", name, key) for name in ("web", "Zeta", "a-b", "ab") for key in range(3)]
    records = [
        Record(
            address=one, leases={"uuid": str(one), "mac": "52:54:00:00:00:01"}, host="h", wants={"h": want, "": want}
        )
        for one in some
    ]
    metered = [Metered(one, str(one), {"vcpus": 2, "disks:schnell": 1 << 40}) for one in some]
    with store.lock(CLAIM) as hold:
        run = store.start(hold, Start("ada", "why", "plan-1", 3, b"a plan"), Writes(records=records, metered=metered))
        store.finish(hold, run, Outcome.DONE, Writes(outputs={"b": [1, 2.5], "A": "text", "ä": None}))
        store.edit(hold, "ada", "moved", Writes(renamed={some[0]: Address("acme", "instances", "new")}))


def _all_of(store: Store) -> object:
    recorded = store.recorded()
    return (
        store.site,
        store.serial(),
        recorded,
        store.outputs(),
        [(one.id, one.who, one.outcome, one.started, one.ended) for one in store.runs()],
        store.plan("plan-1"),
        (store.metered(), store.metered_since()),
        [store.history(address) for address in sorted(recorded.resources, key=order)],
    )


@pytest.mark.parametrize("key", ["", "a passphrase"])
def test_nothing_is_lost_on_the_way_there_and_back(database: str, tmp_path: Path, key: str) -> None:
    directory = tmp_path / ".stead"
    first = open_store("", directory=directory, key=key, create=True)
    _filled(first)
    before = _all_of(first)
    with first.lock(CLAIM) as hold:
        first.move(hold, place_at(database), directory)
    first.close()
    second = open_store(database, directory=directory, key=key)
    assert _all_of(second) == before
    with pytest.raises(Refused, match="STEAD-S019"):
        open_store("", directory=directory, key=key)

    back = str(tmp_path / "back.db")
    with second.lock(CLAIM) as hold:
        second.move(hold, place_at(back), directory)
    second.close()
    third = open_store(back, directory=directory, key=key)
    assert _all_of(third) == before
    _more(third)
    third.close()
    with pytest.raises(Refused, match="STEAD-S019"):
        open_store(database, directory=directory, key=key)


def _more(store: Store) -> None:
    """It can be written to as before."""
    with store.lock(CLAIM) as hold:
        run = store.start(hold, Start("ada", "", "plan-2", 1, b"x"), Writes())
        store.finish(hold, run, Outcome.DONE, Writes())
    assert run == 2


def _there_is_a_file(tmp_path: Path, _database: str) -> str:
    (tmp_path / "taken.db").write_text("mine")
    return str(tmp_path / "taken.db")


def _there_is_a_store(tmp_path: Path, database: str) -> str:
    open_store(database, directory=tmp_path / "other", create=True).close()
    return database


@pytest.mark.parametrize("place", [_there_is_a_file, _there_is_a_store])
def test_nothing_is_written_over_and_the_old_store_stays_open(
    place: Callable[[Path, str], str], database: str, tmp_path: Path
) -> None:
    directory = tmp_path / ".stead"
    store = open_store("", directory=directory, create=True)
    _filled(store)
    before = _all_of(store)
    to = place(tmp_path, database)
    with pytest.raises(Refused, match="STEAD-S020"), store.lock(CLAIM) as hold:
        store.move(hold, place_at(to), directory)
    store.close()
    again = open_store("", directory=directory)
    assert _all_of(again) == before
    again.close()


def test_a_place_that_cannot_be_reached_moves_nothing(tmp_path: Path) -> None:
    directory = tmp_path / ".stead"
    store = open_store("", directory=directory, create=True)
    for place in ("postgresql:///nothing?host=/nowhere", "/proc/nothing/state.db"):
        with pytest.raises(Refused, match="STEAD-S009"), store.lock(CLAIM) as hold:
            store.move(hold, place_at(place), directory)
    store.close()
    open_store("", directory=directory).close()


def test_a_site_goes_on_from_its_new_store(database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STEAD_STORE", raising=False)
    monkeypatch.chdir(tmp_path)
    assert main(["init", "demo"]) == 0
    monkeypatch.chdir(tmp_path / "demo")
    assert main(["apply", "-q", "--auto-approve"]) == 0
    assert main(["state", "migrate", database]) == 0
    assert main(["plan", "-q"]) == 1
    assert main(["plan", "-q", "--detailed-exitcode", "--store", database]) == 0


@pytest.mark.parametrize("key", ["", "a key"])
def test_a_copy_has_all_and_the_store_goes_on(database: str, tmp_path: Path, key: str) -> None:
    store = open_store(database, directory=tmp_path / ".stead", key=key, create=True)
    _filled(store)
    path = tmp_path / "copy.db"
    store.copy(place_at(str(path)))
    copied = open_store(str(path), directory=tmp_path / "elsewhere", key=key)
    assert _all_of(copied) == _all_of(store)
    copied.close()
    with pytest.raises(Refused, match="STEAD-S020"):
        store.copy(place_at(str(path)))
    _more(store)
    store.close()
