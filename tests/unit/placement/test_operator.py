"""What an operator is told on simulated hosts: groups over hosts and zones at once, maintenance, drains, capacity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.cli import main

INVENTORY = """
all:
  vars: {stead_runner: simulated}
  children:
    controller: {hosts: {ctl: }}
    network: {hosts: {net: }}
    storage: {hosts: {nas: {stead_pools: {share: {type: nfs, size: 100GiB}}}}}
    compute:
      vars: {stead_vcpus: 16, stead_memory: 64GiB}
      hosts:
        e1: {stead_zone: east, stead_devices: {gpu: 1, "hugepages:2MiB": 1024, "iops:default": 1000}}
        e2: {stead_zone: east}
        w1: {stead_zone: west, stead_traits: [ssd]}
        w2: {stead_zone: west}
"""


def flavor(**more: Any) -> dict[str, Any]:
    return {"vcpus": 1, "memory": "1GiB", "disk": "1GiB", **more}


def instance(**more: Any) -> dict[str, Any]:
    return {"flavor": "small", "image": "debian", "networks": ["app"], **more}


def spec(instances: dict[str, Any], **more: Any) -> dict[str, Any]:
    project = {"networks": {"app": {"subnets": {"v4": {"cidr": "10.20.0.0/24"}}}}, "instances": instances, **more}
    flavors = {
        "small": flavor(),
        "gpu": flavor(reserve={"device:gpu": 1}),
        "huge": flavor(hugepages="2MiB"),
        "fast": flavor(reserve={"iops:default": 300}),
        "ssd": flavor(traits=["ssd"]),
        "nfs": flavor(disk="30GiB", pool="share"),
    }
    images = {"debian": {"source": "/d.qcow2"}}
    return {"stead": 1, "images": images, "flavors": flavors, "projects": {"acme": project}}


class Site:
    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder, self.capsys = folder, capsys

    def write(self, instances: dict[str, Any], **more: Any) -> None:
        (self.folder / "stead.yml").write_text(yaml.safe_dump(spec(instances, **more)))

    def run(self, *words: str, rc: int = 0) -> str:
        self.capsys.readouterr()
        assert main(list(words)) == rc
        told = self.capsys.readouterr()
        return told.out + told.err

    def apply(self) -> None:
        self.run("apply", "-q", "--auto-approve")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Site:
    monkeypatch.chdir(tmp_path)
    for name in ("STEAD_STORE", "STEAD_STORE_KEY"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    return Site(tmp_path, capsys)


def more_of(told: str) -> dict[str, int]:
    rows = [line.split() for line in told.partition("How many more fit")[2].splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) > 1 and row[1].isdigit()}


def test_apart_over_hosts_and_zones_at_once_moves_nobody_afterwards(site: Site) -> None:
    rules = [{"over": "hosts", "limit": 2}, "zones", {"over": "hosts", "hard": False}]
    site.write({"web": instance(count=6, spread=rules, together={"over": "zones", "hard": False})})
    site.apply()
    at = [site.run("explain", f"acme/instances/web[{i}]").split()[3] for i in range(6)]
    assert max(at.count(host) for host in at) <= 2
    site.run("simulate", "maintenance", "e2")
    assert "migrate" not in site.run("plan")


def test_a_limit_over_zones_that_is_said_holds(site: Site) -> None:
    site.write({"web": instance(count=3, spread={"over": "zones", "limit": 1})})
    assert "acme/instances/web over zones" in site.run("plan", rc=1)
    site.write({"web": instance(count=3, spread="zones")})
    assert "3 to create" in site.run("plan").replace("web[0..2] (3)", "3 to create")


def test_a_feature_that_no_host_has_is_named_as_the_spec_has_it(site: Site) -> None:
    (site.folder / "inventory.yml").write_text(
        INVENTORY.replace("vars: {", 'vars: {stead_traits: ["without:tpm"], ', 2)
    )
    site.write({"web": instance(tpm=True, zone="east")})
    told = site.run("plan", rc=1)
    assert "the nearest fail only feature=tpm" in told
    assert "- do without tpm: 2 hosts would fit" in told
    assert "without:" not in told


def test_maintenance_moves_nothing_and_stops_no_plan(site: Site) -> None:
    site.write({"db": instance(host="e1", volumes=["data"])}, volumes={"data": {"size": "5GiB"}})
    site.apply()
    site.run("simulate", "maintenance", "e1", "e2")
    assert "Nothing to do" in site.run("plan")
    told = site.run("drain", "e1", rc=1)
    assert "nothing can be moved" in told
    assert "acme/instances/db stays: its data is on e1, which it is to leave" in told


def test_a_drain_names_what_stays_on_a_network_host(site: Site) -> None:
    site.write({"web": instance()})
    site.apply()
    assert "acme/networks/app stays: cannot be migrated" in site.run("drain", "net", rc=1)


def test_a_forced_move_says_why_whoever_it_is(site: Site) -> None:
    site.write({"web": instance(count=2, traits=[])})
    site.apply()
    host = site.run("explain", "acme/instances/web[0]").split()[3]
    zone = "west" if host.startswith("e") else "east"
    site.write({"web": instance(count=2, zone=zone)})
    told = site.run("plan")
    assert "moved: its host is in none of the zones asked for" in told
    assert "placed:" not in told


def test_capacity_counts_all_that_a_flavor_asks_for(site: Site) -> None:
    site.write({})
    told = more_of(site.run("capacity"))
    assert told == {"fast": 3, "gpu": 1, "huge": 2, "nfs": 3, "small": 64, "ssd": 16}


def test_capacity_knows_of_what_is_managed_no_longer(site: Site) -> None:
    site.write({"web": instance(flavor="gpu")})
    site.apply()
    document = spec({}) | {"forget": ["acme/instances/web"]}
    (site.folder / "stead.yml").write_text(yaml.safe_dump(document))
    assert more_of(site.run("capacity"))["small"] == 63


def test_hosts_added_twice_are_so_many_more_and_work(site: Site) -> None:
    site.write({})
    site.run("simulate", "maintenance", "e1")
    told = site.run("capacity", "--add", "1xe1", "--add", "2xe1")
    assert [f"e1-more-{i}" in told for i in range(4)] == [True, True, True, False]
    assert more_of(told)["small"] == 64 - 16 + 3 * 16


def test_who_is_left_out_is_named_with_all_blocks(site: Site) -> None:
    site.write({"a": instance(), "b": instance()})
    gone = [word for host in ("e1", "e2", "w1", "w2") for word in ("--without", host)]
    for form in ("text", "html"):
        told = site.run("capacity", "--format", form, *gone)
        assert "No host for 1 of acme/instances/a and 1 of acme/instances/b" in told


def test_a_silent_host_is_not_told_to_be_in_maintenance(site: Site) -> None:
    site.write({"web": instance()})
    site.apply()
    site.run("simulate", "down", "e2")
    assert "state=down  (e2)" in site.run("explain", "acme/instances/web")


def test_a_host_is_drained_onto_one_that_has_nothing_yet(site: Site) -> None:
    """Image, network and project come to the new host first, and go from the old one last."""
    site.write({"web": instance(host="e1")})
    site.apply()
    site.write({"web": instance()})
    site.apply()
    site.run("drain", "e1", "-o", "empty.plan")
    assert "Applied" in site.run("apply", "--auto-approve", "empty.plan")
    assert "Nothing to do" in site.run("plan")
    assert site.run("explain", "acme/instances/web").split()[3] != "e1"


def test_of_many_without_a_host_the_first_are_told_what_would_help(site: Site) -> None:
    site.write({f"web-{i}": instance(flavor=flavor(vcpus=1 + i), host="e1", zone="west") for i in range(12)})
    told = site.run("plan", rc=1)
    assert told.count("error[STEAD-P001]") == 12
    assert told.count("What would help:") == 8
    assert told.count("says what would help.") == 4


def test_a_size_that_no_host_has_is_told_with_the_largest(site: Site) -> None:
    site.write({"web": instance(flavor=flavor(vcpus=100))})
    told = " ".join(site.run("plan", rc=1).split())
    assert "It asks for 100 vcpus, and no host has so much. Ask for less. The largest, w2, has 16 vcpus." in told
    assert "What would help" not in told  # no room that could be freed would do


@pytest.mark.parametrize(
    ("field", "value", "column", "told"),
    [
        ("host", "e11", "e11", "The inventory has no compute host 'e11'. Did you mean 'e1'? It has e1, e2, w1, w2."),
        ("zone", "eats", "eats", "The inventory has no zone 'eats'. Did you mean 'east'? It has default, east, west."),
        ("traits", ["sdd"], "sdd", "The inventory has no trait 'sdd'. Did you mean 'ssd'? It has ssd."),
        ("disk", {"pool": "share1"}, "share1", "The inventory has no pool 'share1'."),
        ("architecture", "aarch64", "aarch64", "The inventory has no architecture 'aarch64'. It has x86_64."),
    ],
)
def test_a_name_that_the_inventory_lacks_is_told_at_its_word(
    site: Site, field: str, value: Any, column: str, told: str
) -> None:
    site.write({"web": instance(**{field: value})})
    said = site.run("plan", rc=1)
    assert told in " ".join(said.split())
    carets = next(line for line in said.splitlines() if "^" in line)
    above = said.splitlines()[said.splitlines().index(carets) - 1]
    assert above[carets.index("^") : carets.rindex("^") + 1] == column
    assert said.count("error[") == 1


def test_a_network_that_the_inventory_lacks_is_told_once(site: Site) -> None:
    site.write({"web": instance()}, networks={"app": {"type": "flat", "physical": "lan"}})
    said = site.run("plan", rc=1)
    assert said.count("error[") == 1
    assert "The inventory has no physical network 'lan'" in said


def test_hosts_that_do_not_answer_are_named_with_why(site: Site) -> None:
    site.write({"web": instance(), "db": instance()}, networks={}, routers={})
    for name in ("e1", "e2", "w1", "w2"):
        site.run("simulate", "down", name)
    site.write({"web": instance(networks=[]), "db": instance(networks=[])}, networks={})
    said = site.run("plan", rc=1)
    assert said.count("error[") == 1
    assert "2 of" not in said
    assert "no host of the role compute takes anything new" in said
    assert "- e1: down" in said


def test_without_a_host_of_a_role_it_is_told_what_to_do(site: Site) -> None:
    inventory = (site.folder / "inventory.yml").read_text()
    (site.folder / "inventory.yml").write_text(inventory.replace("network:", "others:"))
    site.write({"web": instance()})
    said = " ".join(site.run("plan", rc=1).split())
    assert "no host has the role network. Put a host into the group network of the inventory." in said


def host_of(site: Site, address: str) -> str:
    return site.run("explain", address).split()[3].rstrip(":;")


def test_a_drained_host_gets_nothing_until_it_is_restored(site: Site) -> None:
    site.write({"web": instance(count=4)})
    site.apply()
    before = [host_of(site, f"acme/instances/web[{i}]") for i in range(4)]
    site.run("drain", "e1", "--auto-approve")
    site.write({"web": instance(count=8)})
    site.apply()
    assert "e1" not in [host_of(site, f"acme/instances/web[{i}]") for i in range(8)]
    site.run("restore", "e1", "--auto-approve")
    assert [host_of(site, f"acme/instances/web[{i}]") for i in range(4)] == before
    assert "Nothing to do" in site.run("plan")
    assert "error[STEAD-C057]" in site.run("restore", "e1", rc=1)


def test_a_drain_that_is_asked_for_again_adds_what_it_moves(site: Site) -> None:
    """What had to stay at first comes home as well."""
    site.write({"web": instance(host="e1"), "db": instance(traits=[])})
    site.apply()
    if host_of(site, "acme/instances/db") != "e1":
        site.run("migrate", "acme/instances/db", "--to", "e1", "--auto-approve")
    assert "acme/instances/web stays" in site.run("drain", "e1", "--auto-approve", rc=1)
    site.write({"web": instance(), "db": instance(traits=[])})
    site.apply()
    site.run("drain", "e1", "--auto-approve")
    site.run("restore", "e1", "--auto-approve")
    assert [host_of(site, f"acme/instances/{name}") for name in ("web", "db")] == ["e1", "e1"]


def test_what_cannot_come_home_is_named_and_may_come_later(site: Site) -> None:
    site.write({"web": instance(host="e1"), "db": instance(host="e1")})
    site.apply()
    site.write({"web": instance(), "db": instance()})
    site.apply()
    site.run("drain", "e1", "--auto-approve")
    away = host_of(site, "acme/instances/web")
    site.write({"web": instance(host=away), "db": instance()})
    site.apply()
    told = site.run("restore", "e1", "--auto-approve", rc=1)
    assert f"acme/instances/web stays: it is asked to be on {away}" in told
    assert host_of(site, "acme/instances/db") == "e1"
    site.write({"web": instance(), "db": instance()})
    site.apply()
    site.run("restore", "e1", "--auto-approve")
    assert host_of(site, "acme/instances/web") == "e1"


def test_a_host_in_maintenance_by_its_inventory_gets_nothing_back(site: Site) -> None:
    site.write({"web": instance(host="e1")})
    site.apply()
    site.write({"web": instance()})
    site.apply()
    site.run("drain", "e1", "--auto-approve")
    site.run("simulate", "maintenance", "e1")
    assert "state=maintenance" in site.run("restore", "e1", "--auto-approve", rc=1)


def test_what_hosts_cannot_move_stays_and_holds_up_nobody_else(site: Site) -> None:
    site.write({"web": instance(host="e1"), "old": instance(host="e1", state="stopped", firmware="uefi")})
    site.apply()
    site.write({"web": instance(), "old": instance(state="stopped", firmware="uefi")})
    site.apply()
    told = site.run("drain", "e1", "-o", "empty.plan", rc=1)
    assert "acme/instances/old stays: It is stopped, and the settings of its firmware" in told
    site.run("apply", "-q", "empty.plan")
    assert host_of(site, "acme/instances/old") == "e1"
    assert host_of(site, "acme/instances/web") != "e1"
