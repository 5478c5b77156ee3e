"""Each thing that can be wrong with a host is told under its own code, and a host that is well is told nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from stead.core.address import Address
from stead.core.observed import Host, HostStatus, StoragePool
from stead.core.recorded import KnownHost, Record, Recorded
from stead.core.value import replace
from stead.health.doctor import diagnose, peers_of
from stead.health.silent import standings
from stead.runner.observe import Answer

COMPUTE = Host(name="c1", roles=frozenset({"compute"}), underlay="10.0.0.1")
POOLS = {"share": StoragePool("share", "nfs", 1 << 40, "/srv", shared=True)}
NAS = Host(name="nas", roles=frozenset({"storage"}), underlay="10.0.0.9", pools=POOLS)
WELL: dict[str, Any] = {
    "at": 100.5,
    "asked": 100.0,
    "answered": 101.0,
    "system": {
        "prepared": True,
        "python": "3.11.2",
        "kernel": "6.1.0-13-amd64",
        "versions": {"libvirt": "9.0.0", "qemu": "7.2.0"},
    },
    "traits": {"hypervisors": {"kvm": "", "qemu": ""}, "kernel": ["bridge", "vxlan", "tun", "veth", "nftables"]},
    "capacity": {"pools": {"default": {"size": 1 << 40, "free": 1 << 39, "path": "/p"}}},
    "trouble": [],
    "examined": {
        "peers": {"c2": ""},
        "clock": "chrony.service",
        "synchronised": True,
        "container": "",
        "failed_units": [],
        "dropping": [],
        "bridge_filter": False,
        "uplinks_dropped": [],
        "disabled": [],
        "without_secret": [],
        "outdated": [],
        "witnesses": {"c2": True, "c3": True, "c4": False},
    },
}

Breaking = Callable[[dict[str, Any]], Any]
BROKEN: dict[str, Breaking] = {
    "STEAD-H004": lambda f: f["system"].update(prepared=False),
    "STEAD-H005": lambda f: f["traits"].update(hypervisors={"kvm": "aborts", "qemu": "aborts"}),
    "STEAD-H006": lambda f: f["traits"]["hypervisors"].update(kvm="aborts"),
    "STEAD-H049": lambda f: f["traits"]["hypervisors"].update(lxc="no loop devices"),
    "STEAD-H007": lambda f: f.update(at=90.0),
    "STEAD-H008": lambda f: f["examined"].update(clock="", synchronised=False),
    "STEAD-H009": lambda f: f["examined"]["peers"].update(c2="silent"),
    "STEAD-H010": lambda f: f["examined"]["peers"].update(c2="size"),
    "STEAD-H011": lambda f: f["capacity"]["pools"]["default"].update(free=1 << 20),
    "STEAD-H012": lambda f: f["system"].update(python="3.8.10"),
    "STEAD-H013": lambda f: f["examined"].update(failed_units=["tgt.service"]),
    "STEAD-H014": lambda f: f["examined"].update(dropping=["inet filter input"]),
    "STEAD-H048": lambda f: f["examined"].update(uplinks_dropped=["ip filter FORWARD"]),
    "STEAD-H015": lambda f: f["examined"].update(bridge_filter=True),
    "STEAD-H016": lambda f: f["trouble"].append("libvirt does not answer"),
    "STEAD-H022": lambda f: f["examined"].update(served={"share": "Connection refused"}),
    "STEAD-H023": lambda f: f["examined"].update(speechless=["nfs"]),
    "STEAD-H029": lambda f: f["examined"].update(outdated=["/usr/lib/stead/boot"]),
    "STEAD-H039": lambda f: f["examined"].update(without_secret=["acme/volumes/a", "acme/volumes/b"]),
    "STEAD-H030": lambda f: f["examined"].update(disabled=["stead-boot.service"]),
    "STEAD-H031": lambda f: f["examined"].update(witnesses={"c2": False, "c3": True}),
    "STEAD-H017": lambda f: f["traits"].update(kernel=["bridge", "tun", "nftables"]),
}


def codes(facts: dict[str, Any]) -> list[str]:
    return [one.code for one in diagnose({"c1": COMPUTE, "nas": NAS}, {"c1": Answer(host="c1", facts=facts)})]


def test_a_host_that_is_well_is_told_nothing() -> None:
    assert codes(WELL) == []


@pytest.mark.parametrize("code", BROKEN)
def test_one_thing_wrong_is_one_diagnostic(code: str) -> None:
    facts = copy.deepcopy(WELL)
    BROKEN[code](facts)
    assert codes(facts) == [code]


@pytest.mark.parametrize(
    ("why", "code"),
    [
        ("ssh: connect to host 10.0.0.1 port 22: Connection timed out", "STEAD-H001"),
        ("Missing sudo password", "STEAD-H002"),
        ("/usr/bin/python3: No such file or directory", "STEAD-H003"),
    ],
)
def test_silence_has_its_reason(why: str, code: str) -> None:
    found = diagnose({"c1": COMPUTE}, {"c1": Answer(host="c1", why=why)})
    assert [one.code for one in found] == [code]
    assert found[0].address == "c1"
    assert why in found[0].detail


def test_a_dead_peer_is_the_dead_hosts_diagnostic_alone() -> None:
    facts = copy.deepcopy(WELL)
    facts["examined"]["peers"]["c2"] = "silent"
    hosts = {"c1": COMPUTE, "c2": Host(name="c2", roles=frozenset({"compute"}))}
    answers = {"c1": Answer(host="c1", facts=facts), "c2": Answer(host="c2", why="no route")}
    assert [(one.code, one.address) for one in diagnose(hosts, answers)] == [("STEAD-H001", "c2")]


def test_who_was_called_dead_and_who_left_are_told_with_what_is_recorded_there() -> None:
    web, db = Address("a", "instances", "web"), Address("a", "instances", "db")
    c2 = Host(name="c2", roles=frozenset({"compute"}))
    silent = replace(c2, state=HostStatus.DOWN, why="no route")
    recorded = Recorded(
        resources={web: Record(address=web, host="c2"), db: Record(address=db, host="c3")},
        hosts={"c2": KnownHost(c2, "ann")},
    )
    answers = {"c2": Answer(host="c2", why="no route")}
    found = {one.address: one for one in diagnose({"c2": c2}, answers, standings({"c2": silent}, recorded))}
    assert {host: one.code for host, one in found.items()} == {"c2": "STEAD-H027", "c3": "STEAD-H028"}
    assert found["c2"].detail.startswith("Declared dead by ann. 1 resource is recorded on it.")
    assert "--confirm-dead c3" in found["c3"].detail


def test_different_versions_are_told_once() -> None:
    other = copy.deepcopy(WELL)
    other["system"]["versions"]["qemu"] = "8.2.2"
    hosts = {name: Host(name=name, roles=frozenset({"compute"})) for name in ("c1", "c2")}
    found = diagnose(hosts, {"c1": Answer(host="c1", facts=WELL), "c2": Answer(host="c2", facts=other)})
    assert [one.code for one in found] == ["STEAD-H018"]
    assert "7.2.0 on c1" in found[0].detail


@pytest.mark.parametrize("count", [1, 2, 16, 300])
def test_everyone_is_pinged_by_a_bounded_number(count: int) -> None:
    hosts = {
        f"h{n:03}": Host(name=f"h{n:03}", roles=frozenset({"compute"}), underlay=f"10.0.{n // 256}.{n % 256}")
        for n in range(count)
    }
    asked = peers_of(hosts)
    pinged = {peer for one in asked.values() for peer in one["peers"]}
    assert pinged == (set(hosts) if count > 1 else set())
    assert all(name not in one["peers"] and len(one["peers"]) <= 16 for name, one in asked.items())
