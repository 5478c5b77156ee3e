"""A guest that is waited for holds up what depends on it and nothing else, and is waited for in call after call."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger, paths
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import table
from ansible_collections.stead.cloud.plugins.module_utils.host.run import batch, waiting

WAIT = {"for": "agent", "timeout": 300}


class Guests:
    """Ready once their number of looks has come; those never named are never ready."""

    def __init__(self) -> None:
        self.made = list[str]()
        self.looks: dict[str, int] = {}

    def ensure(self, step: Any, work: Any) -> None:
        self.made.append(step["address"])
        work.booted = step["action"] != "update"

    def look(self, want: dict[str, Any], _connection: object, _stands: object) -> tuple[bool, str]:
        left = self.looks.get(want["uuid"], 0)
        self.looks[want["uuid"]] = left - 1
        return left == 1, "the agent says nothing"


@pytest.fixture
def guests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Guests:
    monkeypatch.setattr(paths, "JOURNAL", str(tmp_path / "journal"))
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path / "ledger"))
    monkeypatch.setattr(batch, "LOOK", 0)
    monkeypatch.setattr(batch, "SPELL", 0.05)
    found = Guests()
    monkeypatch.setitem(table.KINDS, "instances", table.KINDS["instances"]._replace(ensure=found.ensure))
    monkeypatch.setitem(waiting._LOOKS, "agent", found.look)
    return found


def step(number: int, *after: int, action: str = "create", wait: dict[str, Any] | None = WAIT) -> dict[str, Any]:
    want = {"uuid": f"0-{number}", "hypervisor": "kvm", "state": "running", **({"wait": wait} if wait else {})}
    words = {"number": number, "after": list(after), "action": action, "want": want, "uuid": want["uuid"]}
    return {**words, "address": f"instances/i{number}", "kind": "instances", "digest": "d", "have": None, "to": ""}


def call(steps: list[dict[str, Any]], **more: Any) -> tuple[dict[int, dict[str, Any]], dict[str, Any]]:
    made = batch.Batch({"host": "h", "run": "r", "steps": steps, **more})
    results = made.carry_out()
    return {one["number"]: one for one in results}, made.waits()


def test_others_are_done_meanwhile_and_the_wait_goes_on_in_the_next_call(guests: Guests) -> None:
    steps = [step(1), step(2, 1, wait=None), step(3, wait=None)]
    results, waits = call(steps)
    assert (set(results), set(waits), sorted(guests.made)) == ({3}, {"1"}, ["instances/i1", "instances/i3"])
    assert ledger.is_unsure("instances", "0-1")
    guests.looks["0-1"] = 1
    results, waits = call(steps, waits=waits, outcomes={"3": "ok"})
    assert {number: one["status"] for number, one in results.items()} == {1: "ok", 2: "ok"}
    assert results[1]["ready"]["for"] == "agent"
    assert not waits
    assert guests.made[2:] == ["instances/i2"]
    assert not ledger.is_unsure("instances", "0-1")


def test_one_that_is_not_ready_in_time_fails_says_what_was_seen_and_is_waited_for_again(guests: Guests) -> None:
    brief = {"for": "agent", "timeout": 0}
    results, _ = call([step(1, wait=brief), step(2, 1, wait=None)])
    assert {number: one["status"] for number, one in results.items()} == {1: "failed", 2: "skipped"}
    for words in ("STEAD-A002", "for agent", "the agent says nothing", "stead console"):
        assert words in results[1]["error"]
    guests.looks["0-1"] = 1
    results, _ = call([step(1, action="update")])
    assert results[1]["ready"]["for"] == "agent"


def test_what_runs_undisturbed_is_not_waited_for(guests: Guests) -> None:
    results, waits = call([step(1, action="update")])
    assert guests.looks == {}
    assert results[1]["status"] == "ok"
    assert "ready" not in results[1]
    assert not waits


def test_a_guest_whose_start_nobody_saw_the_end_of_is_waited_for(guests: Guests) -> None:
    words = step(1)
    ledger.begin(ledger.entry(words["address"], words["uuid"], "instances", "d", words["want"]))
    guests.looks["0-1"] = 1
    assert "ready" in call([step(1, action="update")])[0][1]
