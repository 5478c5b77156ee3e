"""Hand-made plans: the planner is tested elsewhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from stead.blueprint.model import Reason
from stead.core.address import Address
from stead.core.effect import Action, Disruption
from stead.core.observed import Host
from stead.core.want import Body, Want
from stead.plan.model import Keep, Made, Plan, Step
from stead.run.apply import apply
from stead.run.model import Applied, Options
from stead.runner.simulated import SimulatedRunner
from stead.store import Store, open_store

NET = Address("acme", "networks", "app")
PROJECT = Address("", "projects", "acme")
BODY = Body.of({"vcpus": 1, "memory": 1 << 30, "nics": {"app": {"network": str(NET)}}})
NET_WANT = Want.of(Body.of({"vni": 10_000, "mtu": 1450}))
WHY = (Reason("new", "the spec has it, the host does not"),)


def web(number: int) -> Address:
    return Address("acme", "instances", "web", number)


def want_of(address: Address, **fields: Any) -> Want:
    return Want.of(BODY, {"name": str(address), **fields})


def step(address: Address, host: str, action: Action = Action.CREATE, **fields: Any) -> Step:
    """`want` by default is what an instance of that name has."""
    given: dict[str, Any] = {"want": want_of(address), "have": None, "disturbs": Disruption.NONE, "reasons": WHY}
    if action is Action.DESTROY:
        given["want"] = None
    return Step(0, address, host, action, **{**given, "uuid": f"uuid-of-{address}", **fields})


def net_step(host: str, **fields: Any) -> Step:
    return step(NET, host, want=NET_WANT, **fields)


def keep(address: Address, host: str = "", **leases: str) -> Keep:
    given = {"uuid": f"uuid-of-{address}", **leases}
    return Keep(address, given, host, (NET,) if address.kind == "instances" else (), False, "first-fit: free", None)


def gone(address: Address) -> Keep:
    return Keep(address, {}, "", (), False, "", None)


def plan_of(steps: Sequence[Step], keeps: Sequence[Keep], **fields: Any) -> Plan:
    return Plan(
        made=Made(spec="spec", recorded=0, observed="", stead="1"),
        steps=tuple(one._replace(number=number) for number, one in enumerate(steps)),
        keeps={one.address: one for one in keeps},
        outputs=fields.pop("outputs", {}),
        digest="digest-of-the-plan",
        **fields,
    )


def hosts(count: int, **fields: Any) -> dict[str, Host]:
    names = [f"compute-{number}" for number in range(1, count + 1)]
    return {name: Host(name=name, roles=frozenset({"compute"}), **fields) for name in names}


class Bench:
    """A store, simulated hosts, and what applies plans to them."""

    def __init__(self, home: Path, count: int = 3) -> None:
        self.home = home
        self.slept: list[float] = []
        self.hosts: Mapping[str, Host] = hosts(count, vcpus=64, memory=256 << 30)
        self.store: Store = open_store("", directory=home, create=True)
        self.runner = SimulatedRunner(home / "simulated.db", sleep=self.slept.append)

    def fresh(self, plan: Plan) -> Plan:
        """Made from what is recorded and observed now."""
        made = replace(plan.made, recorded=self.store.serial(), observed=self.runner.observe(self.hosts).digest)
        return replace(plan, made=made)

    def apply(self, plan: Plan, **options: Any) -> Applied:
        plan = self.fresh(plan)
        return apply(plan, self.store, self.runner, now=plan.made, options=Options(who="ada", **options))

    def there(self) -> dict[tuple[str, str], str]:
        """(address, host) -> digest of what it has."""
        haves = self.runner.observe(self.hosts).haves
        return {(str(address), host): have.want.digest for address, on in haves.items() for host, have in on.items()}

    def recorded(self) -> dict[tuple[str, str], str]:
        resources = self.store.recorded().resources
        return {(str(one), host): want.digest for one, it in resources.items() for host, want in it.wants.items()}

    def close(self) -> None:
        self.store.close()
        self.runner.close()


def small(count: int = 3) -> Plan:
    """A network on each host, then an instance on each."""
    names = [f"compute-{number + 1}" for number in range(count)]
    nets = [net_step(name) for name in names]
    instances = [step(web(at), name, after=(at,)) for at, name in enumerate(names)]
    keeps = [keep(NET, vni="10000"), *(keep(web(at), name) for at, name in enumerate(names))]
    return plan_of([*nets, *instances], keeps, outputs={"addresses": ["10.0.0.2"]})
