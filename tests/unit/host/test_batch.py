"""A host's steps: each after what it waits for, and after a failure all that does not depend on it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.kind import HostKind, nothing
from ansible_collections.stead.cloud.plugins.module_utils.host.base.step import HostStep
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import table
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch, ordering

Code = Callable[[dict[str, Any], Any], None]


class Kind:
    """Remembers what it was asked to do, and fails where told."""

    def __init__(self, *bad: str) -> None:
        self.bad, self.made = bad, list[str]()

    def ensure(self, step: Any, work: Any) -> None:
        if step["address"] in self.bad:
            raise Failed("it is broken")
        work.act("make", self.made.append, step["address"])

    def remove(self, step: Any, work: Any) -> None:
        work.act("remove", self.made.remove, step["address"])


@pytest.fixture(autouse=True)
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    return tmp_path


def step(number: int, *after: int, action: str = "create", **want: Any) -> dict[str, Any]:
    uuid = f"0000-{number}"
    return {
        "action": action,
        "address": f"things/t{number}",
        "after": list(after),
        "digest": "d",
        "have": None,
        "kind": "things",
        "number": number,
        "to": "",
        "uuid": uuid,
        "want": None if action == "destroy" else {"uuid": uuid, **want},
    }


def carry_out(kind: Kind, *steps: dict[str, Any], check: bool = False, **more: Any) -> dict[int, dict[str, Any]]:
    known: dict[str, Any] = table.KINDS
    known["things"] = HostKind(ensure=kind.ensure, remove=kind.remove, seen=lambda _step, _look: {}, restore=nothing)
    try:
        results = batch.Batch({"host": "h", "run": "r", "steps": list(steps), **more}, check=check).carry_out()
    finally:
        del known["things"]
    return {one["number"]: one for one in results}


def test_steps_wait_for_what_they_name() -> None:
    kind = Kind()
    carry_out(kind, step(1, 3), step(2, 1), step(3))
    assert kind.made == ["things/t3", "things/t1", "things/t2"]


def test_a_step_opens_its_own_secrets_and_no_others() -> None:
    found: dict[int, bool] = {}

    class Opens(Kind):
        def ensure(self, step: Any, work: Any) -> None:
            found[step["number"]] = work.can_open({"$secret": "s1"})

    carry_out(Opens(), {**step(1), "secrets": ["s1"]}, step(2), secrets={"s1": "hunter2"})
    assert found == {1: True, 2: False}


def test_what_a_want_names_by_uuid_comes_first() -> None:
    kind = Kind()
    carry_out(kind, step(1, router={"uuid": "0000-2"}), step(2))
    assert kind.made == ["things/t2", "things/t1"]


def test_naming_each_other_is_no_deadlock() -> None:
    kind = Kind()
    carry_out(kind, step(1, other="0000-2"), step(2, other="0000-1"))
    assert len(kind.made) == 2


def test_a_failure_takes_only_what_depends_on_it() -> None:
    kind = Kind("things/t1")
    results = carry_out(kind, step(1), step(2, 1), step(3, 2), step(4))
    assert {number: one["status"] for number, one in results.items()} == {
        1: "failed",
        2: "skipped",
        3: "skipped",
        4: "ok",
    }
    assert results[1]["error"] == "it is broken"


def test_what_failed_in_an_earlier_wave_is_not_built_upon() -> None:
    assert carry_out(Kind(), step(2, 1), outcomes={"1": "failed"})[2]["status"] == "skipped"


class Slow(Kind):
    """Takes as many seconds as its steps want."""

    def ensure(self, step: Any, work: Any) -> None:
        time.sleep(step["want"]["takes"])
        super().ensure(step, work)


def test_a_long_batch_is_left_so_that_what_is_done_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "SPELL", 0.05)
    kind = Slow("things/t1")
    steps = [step(number, takes=0.03) for number in range(1, 20)]
    steps += [step(20, router={"uuid": "0000-1"}, takes=0.0)]
    outcomes, calls = dict[str, str](), 0
    while len(outcomes) < len(steps):
        results = carry_out(kind, *steps, outcomes=outcomes)
        assert results
        assert not [one for one in results if str(one) in outcomes]
        outcomes.update((str(number), one["status"]) for number, one in results.items())
        calls += 1
    assert calls > 1
    assert {number for number, status in outcomes.items() if status != "ok"} == {"1", "20"}
    assert (outcomes["20"], len(kind.made)) == ("skipped", 18)


def test_a_step_that_goes_on_and_on_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "SPELL", 0.05)
    others = threading.Event()

    class Endless(Slow):
        def ensure(self, step: Any, work: Any) -> None:
            if step["number"] == 0:
                assert others.wait(60), self.made
            super().ensure(step, work)
            if len(self.made) == 19:
                others.set()

    kind = Endless()
    carry_out(kind, step(0, takes=0), *[step(number, takes=0.02) for number in range(1, 20)])
    assert kind.made[-1] == "things/t0"
    assert len(kind.made) == 20


def test_the_ledger_has_what_was_made_and_loses_what_was_removed() -> None:
    kind = Kind()
    carry_out(kind, step(1))
    made = ledger.read("things", "0000-1")
    assert made is not None
    assert (made["address"], made["digest"], made["want"]) == ("things/t1", "d", {"uuid": "0000-1"})
    carry_out(kind, step(1, action="destroy"))
    assert ledger.read("things", "0000-1") is None


def test_what_was_only_begun_is_known_and_removed_as_it_was_begun() -> None:
    class Half(Kind):
        def ensure(self, step: Any, work: Any) -> None:
            self.made.append(step["want"]["pool"])
            super().ensure(step, work)

        def remove(self, step: Any, _work: Any) -> None:
            self.made.remove(step["have"]["pool"])

    kind = Half("things/t1")
    carry_out(kind, step(1, pool="a"))
    assert ledger.read("things", "0000-1") is None
    assert [made["want"]["pool"] for made in ledger.everything(suffix=ledger.BEGUN)] == ["a"]
    kind.bad = ()
    carry_out(kind, step(1, pool="a"))
    assert ledger.everything(suffix=ledger.BEGUN) == []
    kind.bad, kind.made = ("things/t1",), ["a"]
    carry_out(kind, step(1, action="rebuild", pool="b"))
    carry_out(kind, step(1, action="destroy"))
    assert (kind.made, ledger.wants("things", "0000-1")) == ([], [])


def test_check_mode_says_what_it_would_do_and_does_nothing(host: Path) -> None:
    kind = Kind()
    result = carry_out(kind, step(1), check=True)[1]
    assert (result["changed"], result["done"]) == (True, ["make"])
    assert kind.made == []
    assert list(host.iterdir()) == []


def test_a_step_is_in_the_journal_before_it_acts(host: Path) -> None:
    seen: list[str] = []

    class Looks(Kind):
        def ensure(self, _step: Any, _work: Any) -> None:
            seen.extend((host / "journal" / "r.jsonl").read_text().splitlines())

    carry_out(Looks(), step(1))
    assert len(seen) == 1
    assert '"event": "begin"' in seen[0]


def test_a_journal_that_cannot_be_written_is_a_step_that_was_not_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(batch.os, "write", full)  # type: ignore[attr-defined]
    kind = Kind()
    result = carry_out(kind, step(1))[1]
    assert "STEAD-E014" in result["error"]
    assert "No space left on device" in result["error"]
    assert kind.made == []


def test_a_ledger_that_cannot_be_written_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_words: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(paths.os, "fsync", full)  # type: ignore[attr-defined]
    result = carry_out(Kind(), step(1))[1]
    assert result["status"] == "failed"
    assert result["error"].endswith("0000-1.begun: No space left on device.")


def test_a_bug_in_one_step_is_not_the_end_of_the_others() -> None:
    class Broken(Kind):
        def ensure(self, step: Any, work: Any) -> None:
            if step["number"] == 1:
                raise ZeroDivisionError
            super().ensure(step, work)

    results = carry_out(Broken(), step(1), step(2))
    assert "ZeroDivisionError" in results[1]["error"]
    assert results[2]["status"] == "ok"


def test_what_names_another_goes_before_it() -> None:
    router: HostStep = {"number": 0, "uuid": "r", "want": None, "have": {"name": "edge"}}
    floating: HostStep = {"number": 1, "uuid": "f", "want": None, "have": {"router": {"uuid": "r"}}}
    assert {step["number"]: step["after"] for step in ordering.ordered([router, floating])} == {0: [1], 1: []}


def test_what_the_plan_says_wins_over_names() -> None:
    router: HostStep = {"number": 0, "uuid": "r", "want": None, "have": {"name": "edge"}}
    floating: HostStep = {"number": 1, "uuid": "f", "want": None, "have": {"router": {"uuid": "r"}}, "after": [0]}
    assert {step["number"]: step["after"] for step in ordering.ordered([router, floating])} == {0: [], 1: [0]}
