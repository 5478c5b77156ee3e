"""`stead evacuate`: a host dies, and one command starts elsewhere what it ran. On simulated hosts."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from stead.cli import main

FLAVOR = {"vcpus": 1, "memory": "1GiB", "disk": "0GiB"}
LOCAL = {**FLAVOR, "disk": "5GiB"}
Told = tuple[int, str]
Say = Callable[..., Told]


def spec() -> dict[str, Any]:
    volumes = {f"root{at}": {"from": {"image": "debian"}, "size": "5GiB", "pool": "files"} for at in range(4)}
    served = {
        f"g{at}": {"flavor": FLAVOR, "boot_volume": f"root{at}", "networks": ["app"], "priority": at, "host": "c1"}
        for at in range(4)
    }
    local = {"flavor": LOCAL, "image": "debian", "networks": ["app"], "host": "c1"}
    public = {"cidr": "203.0.113.0/24", "gateway": "203.0.113.1", "pool": "203.0.113.10-203.0.113.99"}
    wire = {"type": "flat", "physical": "external", "external": True, "subnets": {"v4": public}}
    return {
        "stead": 1,
        "images": {"debian": {"source": "/srv/debian.qcow2"}},
        "networks": {"public": wire},
        "projects": {
            "acme": {
                "networks": {"app": {"subnets": {"v4": {"cidr": "10.0.0.0/24"}}}},
                "routers": {"edge": {"external": "public", "networks": ["app"], "host": "n1"}},
                "floating_ips": {"www": {"network": "public", "instance": "g0"}},
                "volumes": volumes,
                "instances": {**served, "local": local},
            }
        },
    }


def freed(site: dict[str, Any]) -> dict[str, Any]:
    """Nobody asks for a host any more: where they are is where they stay."""
    project = site["projects"]["acme"]
    for one in (*project["instances"].values(), *project["routers"].values()):
        one.pop("host", None)
    return site


def inventory(memory: str = "16GiB", *, agent: bool = True) -> dict[str, Any]:
    fence = {"stead_fence": {"agent": "fence_ipmilan", "ip": "10.9.9.9", "password": "hunter2"}} if agent else {}
    wires = {"stead_physical_networks": {"external": "eth1"}}
    return {
        "all": {"vars": {"stead_runner": "simulated", **fence}},
        "controller": {"hosts": {"n1": None}},
        "network": {"hosts": {"n1": None, "n2": None}, "vars": wires},
        "compute": {"hosts": {f"c{at}": {"stead_memory": memory} for at in (1, 2)}},
        "storage": {"hosts": {"nas": {"stead_pools": {"files": {"type": "nfs", "size": "1TiB"}}}}},
    }


@pytest.fixture
def say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Say:
    """In a directory with a site that was applied, all of it on c1 and n1."""
    monkeypatch.chdir(tmp_path)
    write(spec(), inventory())

    def run(*words: str) -> Told:
        capsys.readouterr()
        status = main(words)
        out, err = capsys.readouterr()
        assert "hunter2" not in out + err
        return status, out + err

    assert run("apply", "--auto-approve", "-q")[0] == 0
    write(freed(spec()))
    assert run("apply", "--auto-approve", "-q")[0] == 0
    return run


def write(site: dict[str, Any], hosts: dict[str, Any] | None = None) -> None:
    Path("stead.yml").write_text(yaml.safe_dump(site, sort_keys=False))
    if hosts is not None:
        Path("inventory.yml").write_text(yaml.safe_dump(hosts, sort_keys=False))


def homes(say: Say) -> dict[str, str]:
    return {
        one["address"].removeprefix("acme/instances/"): one["host"]
        for one in json.loads(say("state", "list", "--json")[1])["resources"]
        if one["address"].startswith("acme/instances/")
    }


def test_served_guests_start_elsewhere_and_a_local_disk_waits_for_consent(say: Say) -> None:
    say("simulate", "down", "c1")
    status, told = say("evacuate", "c1", "--auto-approve")
    assert status == 2, told
    assert "acme/instances/local: the data is on c1 alone" in told
    assert homes(say) == {**{f"g{at}": "c2" for at in range(4)}, "local": "c1"}
    assert say("fence", "c1", "--status")[1].strip() == "off"
    status, told = say("evacuate", "c1", "--auto-approve", "--max-disruption", "data-loss")
    assert status == 0, told
    assert homes(say)["local"] == "c2"
    assert say("plan", "--detailed-exitcode")[0] == 0


def test_only_what_the_host_had_is_touched(say: Say) -> None:
    changed = freed(spec())
    changed["projects"]["acme"]["instances"]["new"] = {"flavor": FLAVOR, "boot_volume": "more"}
    changed["projects"]["acme"]["volumes"]["more"] = {"from": {"image": "debian"}, "size": "5GiB", "pool": "files"}
    changed["outputs"] = {"where": "{{ projects.acme.instances.g0.host }}"}
    write(changed)
    say("simulate", "down", "c1")
    assert say("evacuate", "c1", "--auto-approve")[0] == 2
    assert "new" not in homes(say)
    assert "where" not in say("output")[1]


def test_what_is_new_in_the_spec_stands_in_nobodys_way(say: Say) -> None:
    """It would fit nowhere, its checks do not hold, and the host died all the same."""
    changed = freed(spec())
    huge = {"vcpus": 1, "memory": "12GiB", "disk": "1GiB"}
    changed["projects"]["acme"]["instances"]["huge"] = {"count": 9, "flavor": huge, "image": "debian"}
    changed["checks"] = {"never": {"that": "{{ 1 > 2 }}", "message": "no"}}
    write(changed)
    say("simulate", "down", "c1")
    assert say("plan")[0] == 1
    status, told = say("evacuate", "c1", "--auto-approve")
    assert status == 2, told
    assert homes(say)["g0"] == "c2"


def test_those_of_the_highest_priority_are_started_and_others_wait_with_the_reason(say: Say) -> None:
    write(freed(spec()), inventory("2GiB"))
    say("simulate", "down", "c1")
    status, told = say("evacuate", "c1", "--auto-approve", "--max-disruption", "data-loss")
    assert status == 2, told
    assert homes(say) == {"g0": "c1", "g1": "c1", "g2": "c2", "g3": "c2", "local": "c1"}
    words = " ".join(told.split())
    assert "acme/instances/g1 stays on c1, which is dead:" in words
    write(freed(spec()), inventory("16GiB"))
    assert say("apply", "--auto-approve", "--max-disruption", "data-loss")[0] == 0
    assert set(homes(say).values()) == {"c2"}


def test_steps_stand_in_the_order_of_priorities(say: Say) -> None:
    say("simulate", "down", "c1")
    steps = json.JSONDecoder().raw_decode(say("evacuate", "c1", "--dry-run", "--json")[1])[0]["steps"]
    started = [one["address"] for one in steps if one["address"].startswith("acme/instances/")]
    assert started == [f"acme/instances/g{at}" for at in (3, 2, 1, 0)]
    assert say("fence", "c1", "--status")[1].strip() == "on"


def test_a_dead_network_host_gives_its_router_and_floating_ips_to_another(say: Say) -> None:
    say("simulate", "down", "n1")
    status, told = say("evacuate", "n1", "--auto-approve")
    assert status == 0, told
    hosts = {one["address"]: one["host"] for one in json.loads(say("state", "list", "--json")[1])["resources"]}
    assert hosts["acme/routers/edge"] == "n2"
    assert set(homes(say).values()) == {"c1"}
    assert say("plan", "--detailed-exitcode")[0] == 0


def test_without_proof_nothing_is_started(say: Say) -> None:
    write(freed(spec()), inventory(agent=False))
    assert "STEAD-H036" in say("evacuate", "c1", "--auto-approve")[1]
    say("simulate", "down", "c1")
    assert "STEAD-C055" in say("evacuate", "c1", "--auto-approve")[1]
    assert "STEAD-C055" in say("evacuate", "c1")[1]
    assert "STEAD-C011" in say("evacuate", "c1", "--confirm-dead", "c2")[1]
    assert "STEAD-H026" in say("evacuate", "c77", "--auto-approve")[1]
    assert set(homes(say).values()) == {"c1"}
    assert say("evacuate", "c1", "--auto-approve", "--confirm-dead", "c1")[0] == 2
    assert homes(say)["g0"] == "c2"


def test_an_agent_that_fails_starts_nothing(say: Say) -> None:
    say("simulate", "down", "c1")
    say("simulate", "fail", "--fence", "--host", "c1")
    assert "STEAD-H034" in say("evacuate", "c1", "--auto-approve")[1]
    assert set(homes(say).values()) == {"c1"}


def test_a_host_that_answers_is_emptied_by_force_only(say: Say) -> None:
    status, told = say("evacuate", "c1", "--auto-approve")
    assert status == 1
    assert "It runs acme/instances/g0" in told
    assert say("evacuate", "c1", "--auto-approve", "--force")[0] == 2
    assert homes(say)["g3"] == "c2"


def test_a_host_that_was_fenced_and_switched_on_since_is_fenced_again(say: Say) -> None:
    """It may be booting, and answer nobody yet."""
    say("simulate", "down", "c1")
    assert say("fence", "c1", "--auto-approve")[0] == 0
    say("simulate", "down", "c1")
    assert say("fence", "c1", "--status")[1].strip() == "on"
    assert say("evacuate", "c1", "--auto-approve")[0] == 2
    assert say("fence", "c1", "--status")[1].strip() == "off"


def test_the_watch_evacuates_a_host_that_died_and_tells_what_it_would_do(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    moments = iter(range(0, 40_000, 3))
    monkeypatch.setattr("stead.cli.commands.watch.sleep", lambda _seconds: None)
    monkeypatch.setattr("stead.cli.commands.watch.monotonic", lambda: float(next(moments)))
    assert say("watch", "--once")[0] == 0
    say("simulate", "off", "c1")
    status, told = say("watch", "--once", "--dry-run")
    assert (status, "c1 would be evacuated" in told) == (2, True)
    assert say("watch", "--once", "--on-host-failure", "wait")[1].startswith("c1 is silent, and nothing is done")
    assert homes(say)["g0"] == "c1"
    assert "The evacuation of c1 ended with status 2." in say("watch", "--once")[1]
    assert homes(say)["g0"] == "c2"
    say("simulate", "off", "c2")
    assert "1 of at most 1 evacuations were tried within the hour" in say("watch", "--once")[1]
    say("simulate", "up", "c2")
    say("simulate", "off", "nas")
    assert "silent, and nothing is done: it keeps data" in say("watch", "--once")[1]
