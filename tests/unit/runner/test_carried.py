"""Volumes that the spec wants elsewhere move with what is on them, where hosts can; planned and applied as users do."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tests.unit.runner.simulated_site import SimulatedSite, empty_folder

from stead.core.address import Address, parse
from stead.store import open_store

INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    controller: {hosts: {ctl: }}
    network: {hosts: {net: }}
    storage:
      hosts:
        nas: {stead_pools: {share: {type: nfs, size: 100GiB}, blocks: {type: iscsi, size: 100GiB}}}
        nas2: {stead_pools: {other: {type: nfs, size: 100GiB}}}
    compute:
      vars:
        stead_vcpus: 16
        stead_memory: 64GiB
        stead_pools:
          default: {type: dir, size: 100GiB}
          fast: {type: dir, size: 100GiB}
          ceph: {type: rbd, path: vms, size: 1TiB}
      hosts: {e1: , e2: , e3: }
"""
GUEST = {
    "flavor": {"vcpus": 1, "memory": "1GiB", "disk": "1GiB"},
    "image": "debian",
    "networks": ["app"],
    "volumes": ["data"],
}


class Site(SimulatedSite):
    def steps(self) -> list[tuple[str, str, str, str, str]]:
        found = self.planned()
        return [
            (one["address"].partition("/")[2], one["action"], one["host"], one.get("to", ""), one["disturbs"])
            for one in found
        ]

    def apply(self, *words: str, rc: int = 0) -> str:
        said = self.run("apply", "-q", "--auto-approve", *words, rc=rc)
        if not rc:
            assert self.steps() == []
        return said

    def uuid(self, address: str) -> str:
        found = parse(address)
        assert found is not None
        recorded = open_store("", directory=self.folder / ".stead").recorded()
        return str(recorded.resources[found].leases["uuid"])

    def went_back(self, kind: str = "volumes", name: str = "data") -> int:
        """In which state of the store."""
        recorded = open_store("", directory=self.folder / ".stead").recorded()
        (want,) = recorded.resources[Address("acme", kind, name)].wants.values()
        return int(want.fields()["origin"]["snapshot"]["asked"])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    return Site(empty_folder(tmp_path, monkeypatch, INVENTORY), capsys)


def volume(host: str, **more: Any) -> dict[str, Any]:
    return {"data": {"size": "1GiB", "host": host, **more}}


def test_a_volume_that_is_wanted_on_another_host_moves_and_stays_what_it_is(site: Site) -> None:
    site.write(volumes=volume("e1"))
    site.apply()
    uuid = site.uuid("acme/volumes/data")
    site.write(volumes=volume("e2"))
    assert site.steps() == [("volumes/data", "migrate", "e1", "e2", "migrate")]
    site.apply("--max-disruption", "migrate")
    assert site.uuid("acme/volumes/data") == uuid
    assert "e2" in site.run("show", "acme/volumes/data")


def test_it_grows_as_it_moves_and_one_that_shrinks_is_another(site: Site) -> None:
    site.write(volumes=volume("e1"))
    site.apply()
    site.write(volumes=volume("e2", size="2GiB"))
    assert site.steps() == [("volumes/data", "migrate", "e1", "e2", "migrate")]
    site.apply()
    site.write(volumes=volume("e3", size="1GiB"))
    assert {(one[1], one[4]) for one in site.steps()} == {("destroy", "data-loss"), ("create", "none")}


def test_it_moves_to_another_format(site: Site) -> None:
    site.write(volumes=volume("e1", format="qcow2"))
    site.apply()
    site.write(volumes=volume("e2", format="raw"))
    assert site.steps() == [("volumes/data", "migrate", "e1", "e2", "migrate")]
    site.apply()


def test_an_instance_that_is_stopped_comes_after_its_volume(site: Site) -> None:
    site.write(volumes=volume("e1"), instances={"db": {**GUEST, "state": "stopped"}})
    site.apply()
    site.write(volumes=volume("e2"), instances={"db": {**GUEST, "state": "stopped"}})
    moves = [one for one in site.steps() if one[1] == "migrate"]
    assert moves == [
        ("volumes/data", "migrate", "e1", "e2", "migrate"),
        ("instances/db", "migrate", "e1", "e2", "migrate"),
    ]
    site.apply("--max-disruption", "migrate")


def test_an_instance_that_is_stopped_takes_its_volumes_along_to_a_named_host(site: Site) -> None:
    site.write(volumes={"data": {"size": "1GiB"}}, instances={"db": {**GUEST, "state": "stopped", "host": "e1"}})
    site.apply()
    site.write(volumes={"data": {"size": "1GiB"}}, instances={"db": {**GUEST, "state": "stopped", "host": "e3"}})
    assert {one[:4] for one in site.steps() if one[1] == "migrate"} == {
        ("volumes/data", "migrate", "e1", "e3"),
        ("instances/db", "migrate", "e1", "e3"),
    }
    site.apply("--max-disruption", "migrate")


def test_a_volume_in_use_does_not_move_and_is_not_lost(site: Site) -> None:
    site.write(volumes=volume("e1"), instances={"db": GUEST})
    site.apply()
    site.write(volumes=volume("e2"), instances={"db": GUEST})
    said = site.run("plan", rc=1)
    assert "STEAD-X013" in said
    assert "acme/instances/db runs and uses it. Stop it (`state: stopped`) and apply; then this is possible." in said


def test_a_volume_with_a_snapshot_does_not_move(site: Site) -> None:
    site.write(volumes=volume("e1"), snapshots={"before": {"volume": "data"}})
    site.apply()
    site.write(volumes=volume("e2"), snapshots={"before": {"volume": "data"}})
    said = site.run("plan", rc=1)
    assert "STEAD-X013" in said
    assert "acme/snapshots/before is of it and does not move. Destroy that first" in said


@pytest.fixture
def snapped(site: Site) -> Site:
    """A volume with a snapshot, and another one with another."""
    volumes = {**volume("e1"), "other": {"size": "1GiB", "host": "e1"}}
    snapshots = {"before": {"volume": "data"}, "others": {"volume": "other"}}
    site.write(volumes=volumes, instances={"db": {**GUEST, "state": "stopped"}}, snapshots=snapshots)
    site.apply()
    return site


BACK = ("revert", "acme/volumes/data", "acme/snapshots/before")


def test_a_volume_goes_back_to_its_snapshot_and_stays_what_it_is(snapped: Site) -> None:
    uuid = snapped.uuid("acme/volumes/data")
    said = snapped.run(*BACK, "--auto-approve", "--max-disruption", "data-loss")
    assert "you asked for it: it goes back to acme/snapshots/before" in said
    assert "loses what was written after the snapshot to volume acme/volumes/data (e1)" in said
    assert snapped.uuid("acme/volumes/data") == uuid
    assert snapped.steps() == []
    first = snapped.went_back()
    snapped.run(*BACK, "--auto-approve", "--max-disruption", "data-loss")
    assert snapped.went_back() > first, "another time is another step"


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (
            ("acme/volumes/data", "acme/snapshots/others"),
            "is no snapshot of acme/volumes/data. There is",
        ),
        (("acme/volumes/data", "acme/volumes/other"), "is no snapshot of acme/volumes/data"),
        (("acme/instances/db", "acme/snapshots/before"), "is no snapshot of acme/instances/db. It has none"),
        (("acme/networks/app", "acme/snapshots/before"), "acme/networks/app has no snapshots"),
        (("acme/volumes/data", "acme/snapshots/no"), "STEAD-C020"),
        (("acme/volumes", "acme/snapshots/before"), "STEAD-C020"),
    ],
)
def test_it_goes_back_to_its_own_snapshots_alone(snapped: Site, words: tuple[str, ...], text: str) -> None:
    said = snapped.run("revert", *words, "--auto-approve", rc=1)
    assert text in said
    assert said.count("STEAD-C084") + said.count("STEAD-C020") == 1, "each mistake is told once"


def test_it_does_not_go_back_without_consent_nor_in_use(snapped: Site) -> None:
    assert "at most rebuild is allowed" in snapped.run(*BACK, "--auto-approve", "--max-disruption", "rebuild", rc=1)
    snapped.run("start", "acme/instances/db", "--auto-approve", "--max-disruption", "reboot")
    said = snapped.run(*BACK, "--auto-approve", "--max-disruption", "data-loss", rc=1)
    assert "rebuild acme/volumes/data within e1. acme/instances/db runs and uses it. Stop it" in said


PET = {**GUEST, "volumes": ["data", "far"]}
WHOLE = ("revert", "acme/instances/db", "acme/snapshots/whole")


@pytest.fixture
def pet(site: Site) -> Site:
    """An instance with a volume in a file of its host, and one that another host serves."""
    volumes = {**volume("e1"), "far": {"size": "1GiB", "pool": "share"}}
    site.write(volumes=volumes, instances={"db": PET}, snapshots={"whole": {"instance": "db"}})
    site.apply()
    return site


def test_a_snapshot_of_an_instance_says_what_is_no_part_of_it(pet: Site) -> None:
    said = pet.run("plan")
    assert "STEAD-V012" in said
    assert "acme/volumes/far: The disks of pool share are no files" in said
    assert "acme/volumes/data:" not in said
    assert "e1" in pet.run("show", "acme/snapshots/whole")


def test_an_instance_goes_back_and_stays_what_it_is(pet: Site) -> None:
    uuid = pet.uuid("acme/instances/db")
    said = pet.run(*WHOLE, "--auto-approve", "--max-disruption", "data-loss")
    assert "you asked for it: it goes back to acme/snapshots/whole" in said
    assert "loses what was written after the snapshot to instance acme/instances/db (e1)" in said
    assert (pet.uuid("acme/instances/db"), pet.steps()) == (uuid, [])
    first = pet.went_back("instances", "db")
    pet.run(*WHOLE, "--auto-approve", "--max-disruption", "data-loss")
    second = pet.went_back("instances", "db")
    assert second > first, "another time is another step"
    pet.run("stop", "acme/instances/db", "--auto-approve", "--max-disruption", "reboot")
    assert pet.went_back("instances", "db") == second
    assert pet.steps() == []


def test_an_instance_does_not_go_back_without_consent(pet: Site) -> None:
    assert "at most rebuild is allowed" in pet.run(*WHOLE, "--auto-approve", "--max-disruption", "rebuild", rc=1)


def test_an_instance_with_a_snapshot_stays_where_that_is(site: Site) -> None:
    site.write(instances={"db": {**GUEST, "volumes": []}}, snapshots={"whole": {"instance": "db"}})
    site.apply()
    assert "acme/snapshots/whole is of it and does not move." in site.run("migrate", "acme/instances/db", rc=1)
    host = json.loads(site.run("show", "acme/instances/db", "--json"))["resources"][0]["host"]
    assert "acme/snapshots/whole is of it and does not move." in site.run("drain", host, "--auto-approve", rc=1)
    site.write(instances={"db": {**GUEST, "volumes": []}})
    site.apply("--max-disruption", "data-loss")
    site.run("migrate", "acme/instances/db", "--auto-approve")


@pytest.mark.parametrize("snapshot", [{}, {"instance": "db", "volume": "data"}])
def test_a_snapshot_is_of_one_thing(site: Site, snapshot: dict[str, str]) -> None:
    guests = {"db": GUEST, "web": {**GUEST, "volumes": [], "count": 2}}
    site.write(volumes=volume("e1"), instances=guests, snapshots={"one": snapshot})
    assert "STEAD-V010" in site.run("plan", rc=1)


def test_no_volume_is_made_of_an_instance(site: Site) -> None:
    copied = {**volume("e1"), "twin": {"from": {"snapshot": "one"}}}
    site.write(volumes=copied, instances={"db": GUEST}, snapshots={"one": {"instance": "db"}})
    assert "STEAD-V013" in site.run("plan", rc=1)


def test_an_instance_that_boots_from_a_served_volume_has_no_snapshot(site: Site) -> None:
    root = {"root": {"size": "2GiB", "pool": "share", "from": {"image": "debian"}}}
    guest = {"flavor": GUEST["flavor"], "boot_volume": "root", "networks": ["app"]}
    site.write(volumes=root, instances={"db": guest}, snapshots={"one": {"instance": "db"}})
    assert "STEAD-V011" in site.run("plan", rc=1)


def in_pool(pool: str, **more: Any) -> dict[str, Any]:
    return {"data": {"size": "1GiB", "pool": pool, **more}}


@pytest.mark.parametrize(
    ("before", "after", "way"),
    [
        (in_pool("default", host="e1"), in_pool("fast", host="e1"), ("e1", "")),
        (in_pool("default", host="e1"), in_pool("default", host="e1", format="raw"), ("e1", "")),
        (in_pool("default", host="e1"), in_pool("fast", host="e2"), ("e1", "e2")),
        (in_pool("default", host="e1"), in_pool("share"), ("e1", "nas")),
        (in_pool("share"), in_pool("fast", host="e3"), ("nas", "e3")),
        (in_pool("share"), in_pool("blocks"), ("nas", "")),
        (in_pool("blocks"), in_pool("other"), ("nas", "nas2")),
    ],
)
def test_a_volume_moves_to_another_pool_and_stays_what_it_is(
    site: Site, before: dict[str, Any], after: dict[str, Any], way: tuple[str, str]
) -> None:
    site.write(volumes=before)
    site.apply()
    uuid = site.uuid("acme/volumes/data")
    site.write(volumes=after)
    assert site.steps() == [("volumes/data", "migrate", *way, "migrate")]
    site.apply("--max-disruption", "migrate")
    assert site.uuid("acme/volumes/data") == uuid
    site.write(volumes=before)
    assert site.steps() == [("volumes/data", "migrate", *((way[1], way[0]) if way[1] else way), "migrate")]
    site.apply()


def test_it_stays_where_the_other_pool_has_no_room(site: Site) -> None:
    site.write(volumes=in_pool("default", host="e1", size="90GiB"))
    site.apply()
    other = {"other": {"size": "20GiB", "pool": "fast", "host": "e1"}}
    site.write(volumes={**in_pool("default", host="e1", size="90GiB"), **other})
    site.apply()
    site.write(volumes={**in_pool("fast", host="e1", size="90GiB"), **other})
    assert "STEAD-P001" in site.run("plan", rc=1)


def test_a_pool_that_is_taken_out_of_the_inventory_moves_nothing(site: Site) -> None:
    site.write(volumes={"data": {"size": "1GiB", "pool": "fast"}})
    site.apply()
    (site.folder / "inventory.yml").write_text(INVENTORY.replace("hosts: {e1: ,", "hosts: {e1: {stead_pools: {}},"))
    assert "migrate" not in {one[1] for one in site.steps()}


def test_an_instance_that_is_stopped_has_its_volume_from_the_other_pool_then(site: Site) -> None:
    site.write(volumes=in_pool("default", host="e1"), instances={"db": {**GUEST, "state": "stopped"}})
    site.apply()
    site.write(volumes=in_pool("blocks"), instances={"db": {**GUEST, "state": "stopped"}})
    assert site.steps() == [
        ("volumes/data", "migrate", "e1", "nas", "migrate"),
        ("instances/db", "update", "e1", "", "none"),
    ]
    site.apply("--max-disruption", "migrate")


def test_a_pool_is_not_changed_in_use_nor_where_a_silent_host_may_use_it(site: Site) -> None:
    site.write(volumes=in_pool("share"), instances={"db": {**GUEST, "host": "e1"}})
    site.apply()
    site.write(volumes=in_pool("blocks"), instances={"db": {**GUEST, "host": "e1"}})
    said = site.run("plan", rc=1)
    assert "STEAD-X013" in said
    assert "migrate acme/volumes/data within nas. acme/instances/db runs and uses it." in said
    site.run("simulate", "down", "e1")
    said = site.run("plan", rc=1)
    assert "STEAD-X013" in said
    assert "acme/instances/db uses it, and may run on e1, which does not answer. Bring that host back first." in said


def test_what_hosts_cannot_move_stays_unless_one_asks_for_a_new_one(site: Site) -> None:
    site.write(volumes=in_pool("share"))
    site.apply()
    site.write(volumes=in_pool("ceph"))
    said = site.run("plan", rc=1)
    assert "STEAD-X013" in said
    assert "and lose what is on this one: `--replace ADDRESS`." in said
    found = json.loads(site.run("plan", "--json", "--replace", "acme/volumes/data"))["steps"]
    assert {(one["action"], one["disturbs"]) for one in found} == {("destroy", "data-loss"), ("create", "none")}


def test_a_volume_waits_for_a_silent_host_and_what_a_dead_one_has_is_lost(site: Site) -> None:
    site.write(volumes=volume("e1"))
    site.apply()
    uuid = site.uuid("acme/volumes/data")
    site.run("simulate", "down", "e1")
    site.write(volumes=volume("e2"))
    assert site.steps() == []
    site.run("simulate", "up", "e1")
    site.apply()
    assert site.uuid("acme/volumes/data") == uuid
    site.run("simulate", "down", "e2")
    site.write(volumes=volume("e3"))
    found = json.loads(site.run("plan", "--json", "--confirm-dead", "e2"))["steps"]
    assert [(one["action"], one["disturbs"]) for one in found] == [("create", "data-loss")]


@pytest.mark.parametrize("words", [("--before",), ()])
def test_after_a_host_died_in_the_move_the_next_plan_goes_on(site: Site, words: tuple[str, ...]) -> None:
    site.write(volumes=volume("e1"))
    site.apply()
    uuid = site.uuid("acme/volumes/data")
    site.write(volumes=volume("e2"))
    site.run("simulate", "die", "e1", *words)
    site.apply(rc=1)
    site.run("simulate", "up", "e1")
    site.apply("--max-disruption", "migrate")
    assert site.uuid("acme/volumes/data") == uuid
