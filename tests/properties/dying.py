"""A site whose hosts die, and the people who act: for the laws of `test_dying_hosts` and its scenario files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sites import GIB
from test_sequences import Bench

from stead.core.observed import Host, StoragePool
from stead.core.value import replace
from stead.kinds import kinds
from stead.plan.evacuation import plan_evacuation
from stead.plan.model import Plan
from stead.plan.planner import Inputs, Wishes
from stead.run.apply import apply
from stead.run.model import Options

COMPUTES = ("compute-0", "compute-1", "compute-2")
NETS = ("network-1", "network-2")
HOSTS = (*COMPUTES, *NETS)


def spec(guests: int) -> dict[str, Any]:
    """Guests that boot from served volumes, each with one more that only it may write to."""
    volumes: dict[str, Any] = {}
    instances: dict[str, Any] = {}
    for at in range(guests):
        volumes[f"root{at}"] = {"size": "10GiB", "pool": "fast"}
        volumes[f"data{at}"] = {"size": "10GiB", "pool": "fast"}
        instances[f"g{at}"] = {
            "flavor": {"vcpus": 1, "memory": "4GiB", "disk": "0GiB"},
            "boot_volume": f"root{at}",
            "volumes": [f"data{at}"],
            "networks": ["app"],
            "priority": at % 3,
        }
    networks = {"app": {"subnets": {"v4": {"cidr": "10.1.0.0/24"}}}}
    routers = {"edge": {"networks": ["app"]}}
    acme = {"networks": networks, "routers": routers, "volumes": volumes, "instances": instances}
    return {"stead": 1, "projects": {"acme": acme}}


class Site:
    """A bench with power switches, cables, and people who act."""

    def __init__(self, home: Path) -> None:
        self.bench = Bench(home)
        every = {name: replace(host, memory=16 * GIB) for name, host in self.bench.hosts.items() if name in COMPUTES}
        nets = {
            name: Host(name=name, roles=frozenset({"network", "controller"}), underlay=f"192.0.2.{240 + at}")
            for at, name in enumerate(NETS)
        }
        fast = StoragePool("fast", "nfs", 4096 * GIB, "/srv/fast", shared=True)
        nas = Host(name="storage-1", roles=frozenset({"storage"}), pools={"fast": fast}, underlay="192.0.2.249")
        self.bench.hosts = {**every, **nets, nas.name: nas}
        self.state = self.bench.runner.state
        self.state.know(self.bench.hosts)

    def mark(self, host: str, state: str) -> None:
        self.state.set_state(host, state, "")

    def state_of(self, host: str) -> str:
        return self.state.hosts()[host].state

    def inputs(self) -> Inputs:
        desired = self.bench.desired()
        assert desired is not None
        recorded = self.bench.store.recorded()
        return Inputs(desired=desired, recorded=recorded, observed=self.bench.seen(), kinds=kinds(), key=b"k" * 32)

    def apply(self, plan: Plan, **proofs: str) -> None:
        options = Options(who="ada", proofs=proofs)
        apply(plan, self.bench.store, self.bench.runner, now=plan.made, options=options)

    def plan_and_apply(self) -> Plan:
        plan = self.bench.plan(Wishes())
        assert plan is not None, "what a host that died leaves is no mistake of the spec's"
        self.apply(plan)
        return plan

    def evacuate(self, host: str) -> None:
        planned, left, _found = plan_evacuation(self.inputs(), host, lossy=False)
        assert planned.plan is not None
        assert left == []  # all data is served
        assert {one.host for one in planned.plan.steps}.isdisjoint({host})
        self.apply(planned.plan, **{host: "ada with fence_test, which said off"})

    # Laws

    def doubled(self) -> list[str]:
        """Volumes that two guests write to at this moment, and guests that run twice."""
        users: dict[str, set[str]] = {}
        for thing in self.state.running():
            fields = thing.want.fields()
            root = ((fields.get("root") or {}).get("volume") or {}).get("uuid", "")
            used = {one["uuid"] for one in (fields.get("volumes") or {}).values() if not one["shareable"]}
            for one in {root, *used, thing.uuid} - {""}:
                users.setdefault(one, set()).add(f"{thing.address} on {thing.host}")
        return [f"{one}: {sorted(some)}" for one, some in sorted(users.items()) if len(some) > 1]

    def overfull(self) -> list[str]:
        memory = dict.fromkeys(COMPUTES, 0)
        for record in self.bench.store.recorded().resources.values():
            if record.address.kind == "instances" and record.host in record.wants:
                memory[record.host] += record.wants[record.host].fields()["memory"]
        return [host for host, much in memory.items() if much > 16 * GIB]

    def close(self) -> None:
        self.bench.close()

    def running(self) -> dict[str, str]:
        """Guests that run, and where."""
        return {
            one.address.removeprefix("acme/instances/"): one.host
            for one in self.state.running()
            if "/instances/" in one.address
        }
