"""Quotas in the words of three services: what a project may have is one table of Stead's, which the plan counts by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.serve.faults import forbidden, not_found
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, bare

NO_LIMIT = -1


class Limit(NamedTuple):
    """One of a service's limits: Stead's own name, and how many of theirs one of ours is."""

    field: str
    unit: int = 1


COMPUTE = {
    "instances": Limit("instances"),
    "cores": Limit("vcpus"),
    "ram": Limit("memory", 1 << 20),
    "key_pairs": Limit("keypairs"),
}
NETWORK = {
    "network": Limit("networks"),
    "subnet": Limit("subnets"),
    "port": Limit("ports"),
    "router": Limit("routers"),
    "floatingip": Limit("floating_ips"),
    "security_group": Limit("security_groups"),
    "security_group_rule": Limit("security_group_rules"),
}
VOLUME = {"volumes": Limit("volumes"), "gigabytes": Limit("storage", 1 << 30), "snapshots": Limit("snapshots")}
Table = Mapping[str, Limit]


def project_asked(call: Call) -> str:
    """Its own project, or any for an admin."""
    name = call.world.project(call.path["target"])
    if name is None or (name != call.caller.project and not call.caller.admin):
        raise not_found("Project", call.path["target"])
    return name


def limits(world: CloudState, project: str, table: Table) -> dict[str, int]:
    block = world.desired.get(Address("", "projects", project))
    quota = block.model.quota if block is not None else {}
    found = {}
    for name, one in table.items():
        most = quota.get(one.field)
        found[name] = NO_LIMIT if most is None else most // one.unit
    return found


def used(call: Call, world: CloudState, project: str, table: Table) -> dict[str, int]:
    """As the plan counts."""
    total: Counter[str] = Counter()
    for block in world.desired.blocks:
        if block.project == project:
            for what, amount in call.cloud.means.kinds[block.kind].counts(block, world.desired).items():
                total[what] += amount * len(block.members)
    return {name: -(-total[one.field] // one.unit) for name, one in table.items()}


def details(call: Call, project: str, table: Table, in_use: str) -> dict[str, Any]:
    world = call.world
    most, now = limits(world, project, table), used(call, world, project, table)
    return {name: {"limit": most[name], in_use: now[name], "reserved": 0} for name in table}


def write(call: Call, project: str, table: Table, said: Mapping[str, Any]) -> None:
    if not call.caller.admin:
        raise forbidden("Quotas are the admin's to write.")
    changed = {table[name].field: _amount(table[name], int(number)) for name, number in said.items() if name in table}

    def edit(content: Mapping[str, Any]) -> Mapping[str, Any]:
        own = content.get("project", {})
        quota = {name: one for name, one in {**own.get("quota", {}), **changed}.items() if one is not None}
        return {**content, "project": {**own, "quota": quota}}

    call.edit_in(project, "change quota", edit)


def _amount(limit: Limit, number: int) -> Any:
    if number < 0:
        return None
    return number if limit.unit == 1 else f"{number * limit.unit >> 20}MiB"


class QuotaSet(NamedTuple):
    """The calls for quota sets, which Nova and Cinder have alike."""

    table: Table
    extra: Mapping[str, int]  # what has no counterpart

    def show(self, call: Call) -> ApiReply:
        return ApiReply(body={"quota_set": self._of(call)})

    def detail(self, call: Call) -> ApiReply:
        found: dict[str, Any] = details(call, project_asked(call), self.table, "in_use")
        found |= {name: {"limit": most, "in_use": 0, "reserved": 0} for name, most in self.extra.items()}
        return ApiReply(body={"quota_set": {**found, "id": bare(call.path["target"])}})

    def defaults(self, call: Call) -> ApiReply:
        project_asked(call)
        found = {**dict.fromkeys(self.table, NO_LIMIT), **self.extra, "id": call.path["target"]}
        return ApiReply(body={"quota_set": found})

    def change(self, call: Call) -> ApiReply:
        write(call, project_asked(call), self.table, call.body["quota_set"])
        found = self._of(call)
        del found["id"]
        return ApiReply(body={"quota_set": found})

    def reset(self, call: Call) -> None:
        """To what a project has without a word: no limit."""
        write(call, project_asked(call), self.table, dict.fromkeys(self.table, NO_LIMIT))

    def of_class(self, call: Call) -> ApiReply:
        """There is one class, that of all projects."""
        found = {**dict.fromkeys(self.table, NO_LIMIT), **self.extra, "id": call.path["name"]}
        return ApiReply(body={"quota_class_set": found})

    def _of(self, call: Call) -> dict[str, Any]:
        found = {**limits(call.world, project_asked(call), self.table), **self.extra}
        return {**found, "id": bare(call.path["target"])}
