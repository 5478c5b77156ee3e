"""`stead state`, `runs`, `lock` and `unlock`, as a person and as a program use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from stead.cli import main
from stead.core.address import Address
from stead.core.recorded import Record
from stead.core.want import Body, Want
from stead.store import Store, open_store
from stead.store.model import Began, Ended, LockRequest, Outcome, Skipped, Start, StepState, Writes

WEB = [Address("acme", "instances", "web", number) for number in range(2)]
DB = Address("acme", "instances", "db")
Told = tuple[int, str, str]


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """With three instances, and a run of which one step failed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STEAD_WHO", "ada")
    found = open_store("", directory=tmp_path / ".stead", create=True)
    records = [Record(address=one, leases={"uuid": str(one)}, host="compute-1") for one in (*WEB, DB)]
    want = Want.of(Body.of({"vcpus": 2}))
    with found.lock(LockRequest("ada", "")) as hold:
        run = found.start(hold, Start("ada", "nightly", "p1", 3), Writes(records=records))
        began = [Began(at, one, "compute-1", "create") for at, one in enumerate(WEB)]
        found.write(hold, run, Writes(began=began, wants=[(WEB[0], "compute-1", want)]))
        ended = [Ended(0, StepState.DONE), Ended(1, StepState.FAILED, "no room")]
        skipped = [Skipped(2, DB, "compute-1", "create", "it waits")]
        found.finish(hold, run, Outcome.FAILED, Writes(ended=ended, skipped=skipped))
    yield found
    found.close()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[..., Told]:
    def run(*words: str) -> Told:
        status = main(words)
        out, err = capsys.readouterr()
        return status, out, err

    return run


def parsed(told: Told) -> Any:
    return json.loads(told[1])


pytestmark = pytest.mark.usefixtures("store")


def test_state_is_listed_in_the_order_that_people_count(say: Callable[..., Told]) -> None:
    assert say("state", "list") == (0, f"{DB}\n{WEB[0]}\n{WEB[1]}\n", "")
    assert say("state", "list", "acme/instances/web")[1] == f"{WEB[0]}\n{WEB[1]}\n"
    assert [one["address"] for one in parsed(say("state", "list", "--json"))["resources"]] == [str(DB), *map(str, WEB)]


def test_an_unknown_address_suggests_the_nearest(say: Callable[..., Told]) -> None:
    for words in (("list",), ("show",), ("rm",)):
        status, out, err = say("state", *words, "acme/instances/dbb")
        assert (status, out) == (1, "")
        assert "STEAD-S015" in err
        assert "Did you mean acme/instances/db?" in err


def test_one_is_shown_with_what_its_host_has(say: Callable[..., Told]) -> None:
    status, out, _ = say("state", "show", str(WEB[0]))
    assert status == 0
    assert "vcpus" in out
    assert parsed(say("state", "show", str(WEB[0]), "--json"))["resources"][0]["host"] == "compute-1"


def test_a_block_is_moved_with_its_members(say: Callable[..., Told], store: Store) -> None:
    moved = parsed(say("state", "mv", "acme/instances/web", "acme/instances/front", "--json"))["moved"]
    assert [one["to"] for one in moved] == ["acme/instances/front[0]", "acme/instances/front[1]"]
    assert WEB[0] not in store.recorded().resources
    status, out, _ = say("state", "history", "acme/instances/front[0]")
    assert status == 0
    assert "create acme/instances/web[0] on compute-1 by ada, run 1" in out
    assert "moved" in out


def test_nothing_is_moved_onto_another(say: Callable[..., Told], store: Store) -> None:
    before = store.recorded()
    status, _, err = say("state", "mv", str(WEB[0]), str(DB))
    assert status == 1
    assert "STEAD-S016" in err
    assert say("state", "mv", str(WEB[0]), "acme/volumes/web")[0] == 1
    assert say("state", "mv", str(WEB[0]), "what is this")[0] == 1
    assert store.recorded() == before


def test_what_is_removed_is_no_longer_recorded_and_its_history_stays(say: Callable[..., Told], store: Store) -> None:
    assert say("state", "rm", "acme/instances/web")[0] == 0
    assert set(store.recorded().resources) == {DB}
    assert [one["what"] for one in parsed(say("state", "history", str(WEB[0]), "--json"))["history"]] == [
        "create",
        "removed",
    ]


def test_state_is_not_mended_while_an_apply_is_at_work(say: Callable[..., Told], store: Store) -> None:
    with store.lock(LockRequest("bob", "an apply")):
        status, _, err = say("state", "rm", str(DB))
    assert status == 1
    assert "STEAD-S010" in err
    assert "bob" in err
    assert DB in store.recorded().resources


def test_a_store_is_sealed_with_the_key_that_is_given(
    say: Callable[..., Told], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "STEAD-S008" in say("state", "encrypt")[2]
    monkeypatch.setenv("STEAD_STORE_KEY", "correct horse")
    assert "STEAD-S007" in say("state", "list")[2]
    assert say("state", "encrypt")[0] == 0
    assert say("state", "list")[0] == 0
    monkeypatch.delenv("STEAD_STORE_KEY")
    assert "STEAD-S008" in say("state", "list")[2]


def test_runs_tell_what_became_of_each_step(say: Callable[..., Told]) -> None:
    out = say("runs")[1]
    assert "failed  1 of 3 steps, 1 failed, 1 skipped" in out
    assert "by ada  nightly" in out
    told = say("runs", "1")[1]
    assert f"failed   create {WEB[1]} on compute-1: no room" in told
    assert f"skipped  create {DB} on compute-1: it waits" in told
    journal = parsed(say("runs", "1", "--json"))["journal"]
    assert [one["state"] for one in journal] == ["done", "failed", "skipped"]
    assert "STEAD-S017" in say("runs", "99")[2]


def test_the_lock_says_who_holds_it(say: Callable[..., Told], store: Store) -> None:
    assert say("lock") == (0, "Nobody holds the lock.\n", "")
    with store.lock(LockRequest("bob", "nightly")):
        status, out, _ = say("lock")
        assert status == 2
        assert "bob holds the lock" in out
        assert "nightly" in out
        assert parsed(say("lock", "--json"))["holder"]["owner"] == "bob"


def test_a_living_owner_is_not_unlocked_by_accident(say: Callable[..., Told], store: Store) -> None:
    with store.lock(LockRequest("bob", "")):
        status, _, err = say("unlock")
        assert status == 1
        assert "STEAD-S018" in err
        assert say("lock")[0] == 2
        assert say("unlock", "--auto-approve")[0] == 0
        assert say("lock")[0] == 0
    assert "STEAD-S012" in say("unlock")[2]
