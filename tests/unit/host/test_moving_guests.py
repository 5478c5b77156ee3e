"""What hosts do of a move: they receive, expect, and say which of two has the guest."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.stead.cloud.plugins.module_utils.host.base import ledger
from ansible_collections.stead.cloud.plugins.module_utils.host.base.errors import Failed
from ansible_collections.stead.cloud.plugins.module_utils.host.base.readings import Readings
from ansible_collections.stead.cloud.plugins.module_utils.host.base.work import Work
from ansible_collections.stead.cloud.plugins.module_utils.host.hypervisor import drivers
from ansible_collections.stead.cloud.plugins.module_utils.host.kinds import instance
from ansible_collections.stead.cloud.plugins.module_utils.host.net.linuxbridge import forwarding, naming
from ansible_collections.stead.cloud.plugins.module_utils.host.run import booting
from ansible_collections.stead.cloud.plugins.module_utils.host.storage import instance_disks

UUID = "11111111-0000-4000-8000-000000000001"
WANT: dict[str, Any] = {
    "uuid": UUID, "name": "acme.web", "hypervisor": "qemu", "root": {"size": 1, "pool": {"name": "default"}}, "nics": {}
}  # fmt: skip
STEP: Any = {"want": WANT, "uuid": UUID, "kind": "instances", "address": "acme/instances/web", "digest": "d",
             "came_from": "c1", "action": "receive"}  # fmt: skip


class Guest:
    def __init__(self, *, on: bool = True, moving: bool = False, state: str = "running") -> None:
        self.on, self.moving, self.state = on, moving, "paused" if moving else state

    def is_on(self) -> bool:
        return self.on

    def check(self, _want: Any) -> None:
        pass

    def label(self) -> dict[str, str]:
        return {"digest": "d"}

    def fields(self, _want: Any) -> dict[str, Any]:
        return {"state": self.state}


@pytest.fixture
def done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is done to disks; the host has no guest."""
    said: list[str] = []
    monkeypatch.setattr(ledger, "LEDGER", str(tmp_path))
    monkeypatch.setattr(drivers, "of", lambda *_words: Guest())
    monkeypatch.setattr(drivers, "find", lambda *_words: None)
    monkeypatch.setattr(instance_disks, "has_own", lambda _want: False)
    own = SimpleNamespace(remove=lambda _work: said.append("remove"))
    monkeypatch.setattr(instance_disks, "own", lambda _want: {"root": (own, 1)})
    monkeypatch.setattr(instance_disks, "ensure", lambda *_words: said.append("make"))
    return said


def test_what_is_received_is_begun_and_says_from_where(done: list[str]) -> None:
    instance.receive(STEP, Work("c2"))
    assert ledger.came_from("instances", UUID) == "c1"
    assert ledger.read("instances", UUID) is None
    assert done == ["remove", "make"]


def test_a_guest_that_runs_here_is_not_received(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drivers, "find", lambda *_words: Guest())
    with pytest.raises(Failed, match="STEAD-E307: The guest is on this host already"):
        instance.receive(STEP, Work("c2"))
    assert done == []


def test_a_disk_that_no_try_left_here_is_not_touched(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """In a directory that hosts share, it is the disk that the guest writes to."""
    monkeypatch.setattr(instance_disks, "has_own", lambda _want: True)
    with pytest.raises(Failed, match="STEAD-E307: A disk of the guest is on this host already"):
        instance.receive(STEP, Work("c2"))
    assert (done, ledger.came_from("instances", UUID)) == ([], "")


def test_what_a_try_left_is_made_anew(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    instance.receive(STEP, Work("c2"))
    monkeypatch.setattr(instance_disks, "has_own", lambda _want: True)
    instance.receive(STEP, Work("c2"))
    assert done == ["remove", "make"] * 2


def test_it_says_from_where_until_it_is_made(done: list[str]) -> None:
    instance.receive(STEP, Work("c2"))
    ledger.begin(ledger.made_by(STEP))
    assert ledger.came_from("instances", UUID) == "c1"
    ledger.keep(ledger.made_by(STEP))
    assert ledger.came_from("instances", UUID) == ""
    assert done == ["remove", "make"]


def test_a_boot_starts_nothing_whose_move_had_begun(done: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Killed at the handover, it may run on the target; and this host, off since, does not know it."""
    monkeypatch.setattr(booting, "held_below", lambda: 0)
    ledger.keep(ledger.made_by(STEP))
    held = []
    for to in ("c2", "", "c2"):
        ledger.goes("instances", UUID, to)
        made = ledger.read("instances", UUID)
        assert made is not None
        held.append(booting.is_held(made))
    ledger.keep(ledger.made_by(STEP))
    again = ledger.read("instances", UUID)
    assert again is not None
    assert (held, booting.is_held(again), done) == ([True, False, True], False, [])


@pytest.mark.parametrize(
    ("entry", "guest", "told"),
    [
        ({"begun": True, "came_from": "c1"}, Guest(), {"came_from": "c1", "lost": True}),
        (
            {"begun": True, "came_from": "c1"},
            Guest(state="stopped"),  # its host lost its power before anybody heard that it came
            {"came_from": "c1", "lost": True, "seen": {"state": "stopped"}},
        ),
        ({"begun": True, "came_from": "c1"}, Guest(moving=True), {"begun": True, "came_from": "c1", "moving": True}),
        ({"begun": True}, Guest(), {"begun": True}),
        ({}, Guest(moving=True), {"moving": True}),
        ({"going_to": "c2"}, Guest(), {"going_to": "c2", "lost": True}),
        ({"going_to": "c2"}, Guest(state="stopped"), {"going_to": "c2", "moving": True}),
        ({}, Guest(), {}),
    ],
)
def test_a_host_says_whether_it_has_what_moved(entry: dict[str, Any], guest: Guest, told: dict[str, Any]) -> None:
    class Look:
        guests = {UUID: guest}  # noqa: RUF012
        blind = ""

        @staticmethod
        def expects_guests() -> bool:
            return True

    want = {**WANT, "state": "running"}
    known: list[Any] = [{**entry, "uuid": UUID, "want": want}]
    instance.report(known, Look())  # type: ignore[arg-type]
    assert known == [{**told, "uuid": UUID, "want": want, "state": guest.state, "made_from": "d"}]


NETWORK = {"uuid": "22222222-0000-4000-8000-000000000001", "type": "vxlan"}
PEERS = {"c1": "192.0.2.1", "c2": "192.0.2.2", "c3": "192.0.2.3"}
MAC, OTHER = "52:54:00:00:00:01", "52:54:00:00:00:02"


def _network(at: str) -> dict[str, Any]:
    entries = {mac: {"at": where, "addresses": []} for mac, where in ((MAC, at), (OTHER, "c1"))}
    return {**NETWORK, "forwarding": entries, "peers": PEERS}


@pytest.mark.parametrize(("host", "leads"), [("c3", True), ("c2", True), ("c1", False)])
def test_only_who_moves_may_be_found_elsewhere(host: str, leads: bool) -> None:
    work = Work(host, check=True)
    forwarding.expect(_network("c2"), _network("c1"), work)
    tunnel = naming.vxlan_name(NETWORK["uuid"])
    lines = [f"bridge fdb replace {MAC} dev {tunnel} dst 192.0.2.1 self dynamic"] if leads else []
    assert [line for line in work.done if " fdb " in line] == lines
    assert f"bridge link set dev {tunnel} learning on" in work.done
    assert not any(OTHER in line for line in work.done)


def test_nothing_is_learned_where_nobody_moves() -> None:
    work = Work("c3", check=True)
    forwarding.expect(_network("c1"), _network("c1"), work)
    assert work.done == []


class Seen(Readings):
    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self._entries = entries

    def forwarding(self, _device: str) -> list[dict[str, Any]]:
        return self._entries

    def neighbours(self, _device: str) -> dict[str, str]:
        return {}


def test_what_was_learned_is_written_down_after_the_move() -> None:
    tunnel = naming.vxlan_name(NETWORK["uuid"])
    entries = [
        {"mac": MAC, "dst": "192.0.2.2", "state": ""},
        {"mac": OTHER, "dst": "192.0.2.1", "state": "permanent"},
        *({"mac": forwarding.EVERYBODY, "dst": PEERS[host], "state": "permanent"} for host in ("c1", "c2")),
        *({"mac": mac, "state": "static"} for mac in (MAC, OTHER)),
    ]
    work = Work("c3", check=True, now=Seen(entries))
    forwarding.ensure(_network("c2"), work, "br")
    assert work.done == [f"bridge fdb replace {MAC} dev {tunnel} dst 192.0.2.2 self permanent"]
