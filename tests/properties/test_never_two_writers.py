"""Promise 1: nothing is started on a host while another, of which nobody says that it is dead, may still run it.

Simulated hosts that are silent keep what they have, as real ones run on without a cable.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from sequences import dice_of, first, following
from test_sequences import Bench

from stead.core.observed import Host
from stead.core.value import field, mutable, replace
from stead.plan import file as plans
from stead.plan.model import Plan
from stead.plan.planner import Wishes

SEEDS = range(int(os.environ.get("STEAD_SEEDS", "4")))
MOMENTS = 12  # of one sequence
COMPUTES = ("compute-0", "compute-1", "compute-2")
ONE_AT_A_TIME = ("acme/instances/", "acme/routers/", "acme/floating_ips/")


@mutable
class Site:
    """A bench whose inventory loses hosts and gets them back."""

    bench: Bench
    every: dict[str, Host]
    silent: set[str] = field(default_factory=set)
    dead: set[str] = field(default_factory=set)

    def silence(self, host: str) -> None:
        self.bench.runner.state.mark(host, "down", "its cable is out")
        self.silent.add(host)

    def remove(self, host: str) -> None:
        self.bench.hosts = {name: one for name, one in self.bench.hosts.items() if name != host}

    def bring_back(self, host: str) -> None:
        self.bench.hosts = {**self.bench.hosts, host: self.every[host]}
        self.bench.runner.state.mark(host, "up", "")
        self.silent.discard(host)

    def plan_and_apply(self, *dead: str) -> Plan | None:
        plan = self.bench.plan(Wishes(dead=frozenset(dead)))
        if plan is not None:
            self.dead.update(dead)
            self.bench.apply(plan)
            self.dead -= {host for host in self.dead - self.silent if not self.left_behind(host)}
        return plan

    def left_behind(self, host: str) -> set[tuple[str, str]]:
        """What it still has and another got; on a host that is back it lies there, and is cleaned up when it can be."""
        there = {(address, uuid) for address, at, uuid in self.on() if at == host}
        others = {(address, uuid) for address, at, uuid in self.on() if at != host}
        return {one for one in there & others if one[0].startswith(ONE_AT_A_TIME)}

    def on(self) -> Iterator[tuple[str, str, str]]:
        """(address, host, UUID) of all that is on hosts, also on those that nobody hears."""
        for address, host, uuid, *_ in chain.from_iterable(self.bench.runner.state.rows()):
            yield address, host, uuid

    def doubled(self) -> list[str]:
        where: dict[tuple[str, str], set[str]] = {}
        for address, host, uuid in self.on():
            if address.startswith(ONE_AT_A_TIME) and host not in self.dead:
                where.setdefault((address, uuid), set()).add(host)
        return [f"{address} is on {sorted(hosts)}" for (address, _uuid), hosts in where.items() if len(hosts) > 1]

    def shared_volumes(self) -> list[str]:
        users: dict[str, set[str]] = {}
        for address, host, _uuid in self.on():
            if address.startswith("acme/instances/") and host not in self.dead:
                [thing] = [one for one in self.bench.runner.state.things(address) if one.host == host]
                for volume in thing.want.fields().get("volumes", {}).values():
                    if not volume["shareable"]:
                        users.setdefault(volume["uuid"], set()).add(address)
        return [f"{volume} is used by {sorted(some)}" for volume, some in users.items() if len(some) > 1]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    bench = Bench(tmp_path)
    yield Site(bench=bench, every=dict(bench.hosts))
    bench.close()


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_runs_twice_whatever_becomes_of_hosts_and_inventory(site: Site, seed: int) -> None:
    dice = dice_of(seed + 3000)
    spec = first(dice)
    for _ in range(MOMENTS):
        host = dice.choice([*COMPUTES, "network-1"])
        match dice.choice(["silence", "remove", "back", "dead", "spec", "spec"]):
            case "silence":
                site.silence(host)
            case "remove":
                site.silence(host)
                site.remove(host)
            case "back":
                site.bring_back(host)
            case "dead" if host in site.silent:
                site.plan_and_apply(host)
            case _:
                spec = following(spec, dice)
                site.bench.write(spec)
        site.plan_and_apply()
        assert site.doubled() == []
        assert site.shared_volumes() == []


SPEC: dict[str, Any] = {
    "stead": 1,
    "images": {"debian": {"source": "/d.qcow2"}},
    "flavors": {"small": {"vcpus": 1, "memory": "1GiB", "disk": "10GiB"}},
    "projects": {
        "acme": {
            "networks": {"app": {"subnets": {"v4": {"cidr": "10.1.0.0/24"}}}},
            "volumes": {"data": {"size": "10GiB", "pool": "fast"}, "root": {"size": "10GiB", "pool": "fast"}},
            "instances": {
                "web": {
                    "flavor": "small",
                    "boot_volume": "root",
                    "networks": ["app"],
                    "volumes": ["data"],
                }
            },
        }
    },
}
WEB = "acme/instances/web"


@pytest.fixture
def running(site: Site) -> tuple[Site, str]:
    """One guest with a served volume, and its host, which nobody hears any more."""
    site.bench.write(SPEC)
    plan = site.plan_and_apply()
    assert plan is not None
    assert plan.steps
    host = next(host for address, host, _uuid in site.on() if address == WEB)
    site.silence(host)
    return site, host


@pytest.mark.parametrize("removed", [False, True])
def test_a_silent_host_keeps_what_it_has(running: tuple[Site, str], *, removed: bool) -> None:
    site, host = running
    if removed:
        site.remove(host)
    plan = site.bench.plan()
    assert plan is not None
    assert plan.steps == ()
    assert (host in plan.waiting) is removed


def test_a_host_that_is_said_to_be_dead_gives_up_what_it_has(running: tuple[Site, str]) -> None:
    site, host = running
    site.remove(host)
    plan = site.plan_and_apply(host)
    assert plan is not None
    [step] = [one for one in plan.steps if str(one.address) == WEB]
    assert (step.action, step.reasons[0].code, step.loses) == ("create", "evacuated", "")
    later = site.bench.plan()
    assert later is not None
    assert later.empty  # it goes by what was said


def test_what_a_dead_host_had_is_taken_from_it_when_it_comes_back(running: tuple[Site, str]) -> None:
    site, host = running
    site.plan_and_apply(host)
    site.bring_back(host)
    plan = site.plan_and_apply()
    assert plan is not None
    assert plan.silence.back == (host,)
    assert [(str(one.address), one.host) for one in plan.steps if one.address.kind == "instances"] == [(WEB, host)]
    assert not site.doubled()
    after = site.bench.plan()
    assert after is not None
    assert after.empty


def test_who_answers_is_told_of_the_dead_and_too_few_of_them_is_said(running: tuple[Site, str]) -> None:
    """A host that boots believes more than half of the others: so half of them have to know."""
    site, host = running
    plan = site.bench.plan(Wishes(dead=frozenset({host})))
    assert plan is not None
    assert set(plan.silence.hears) == site.every.keys() - {host}
    assert plans.read(plans.lines(plan), "it.plan").silence == plan.silence
    assert "few-know" not in {note.code for note in plan.notes}
    others = sorted(site.every.keys() - {host})
    for other in others[1:]:
        site.silence(other)
    plan = site.bench.plan(Wishes(dead=frozenset({host})))
    assert plan is not None
    assert plan.silence.hears == (others[0],)
    assert next(note.text for note in plan.notes if note.code == "few-know").startswith(
        f"Only 1 of {len(others)} hosts answer and will know that {host} is dead."
    )


@pytest.mark.parametrize(("asked", "code"), [("alive", "STEAD-H025"), ("compute-77", "STEAD-H026")])
def test_only_a_host_that_is_silent_can_be_said_to_be_dead(running: tuple[Site, str], asked: str, code: str) -> None:
    from stead.kinds import kinds
    from stead.plan.planner import Inputs, make_plan

    site, host = running
    name = next(one for one in COMPUTES if one != host) if asked == "alive" else asked
    bench = site.bench
    desired = bench.desired()
    assert desired is not None
    inputs = Inputs(
        desired=desired, recorded=bench.store.recorded(), observed=bench.seen(), kinds=kinds(), key=b"k" * 32
    )
    planned, found = make_plan(inputs, Wishes(dead=frozenset({name})))
    assert planned.plan is None
    assert [one.code.name if hasattr(one.code, "name") else str(one.code) for one in found] == [code]


def test_a_volume_of_a_silent_guest_is_given_to_nobody(running: tuple[Site, str]) -> None:
    site, host = running
    other = next(one for one in COMPUTES if one != host)
    project = SPEC["projects"]["acme"]
    web = {**project["instances"]["web"], "volumes": []}
    thief = {"flavor": "small", "image": "debian", "volumes": ["data"], "host": other}
    site.bench.write({**SPEC, "projects": {"acme": {**project, "instances": {"web": web, "thief": thief}}}})
    site.plan_and_apply()
    site.plan_and_apply()
    assert site.shared_volumes() == []
    site.plan_and_apply(host)
    assert "acme/instances/thief" in {address for address, _host, _uuid in site.on()}


def test_a_router_leaves_a_silent_host_only_once_it_is_dead(site: Site) -> None:
    hosts = site.bench.hosts
    second = replace(hosts["network-1"], name="network-2", underlay="192.0.2.250")
    site.bench.hosts = {**hosts, "network-2": second}
    router = {"networks": ["app"], "host": "network-1"}
    project = {"networks": {"app": {"subnets": {"v4": {"cidr": "10.1.0.0/24"}}}}, "routers": {"edge": router}}
    site.bench.write({"stead": 1, "projects": {"acme": project}})
    site.plan_and_apply()
    site.silence("network-1")
    router["host"] = "network-2"
    site.bench.write({"stead": 1, "projects": {"acme": project}})
    plan = site.bench.plan()
    assert plan is not None
    assert plan.steps == ()
    assert "acme/routers/edge" in plan.waiting["network-1"]
    plan = site.plan_and_apply("network-1")
    assert plan is not None
    assert {host for address, host, _uuid in site.on() if address.startswith("acme/routers")} == {
        "network-1",
        "network-2",
    }
    after = site.bench.plan()
    assert after is not None
    assert after.empty
