"""How full a host is, from what it said: what instances were promised, against what there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.core.observed import Host, Observed
from stead.health.silent import Standing, told
from stead.runner.observe import Answer, completed


class Room(NamedTuple):
    used: int
    total: int

    @property
    def share(self) -> float:
        return min(1.0, self.used / self.total) if self.total else 0.0


class Row(NamedTuple):
    """One host as it is listed. Of one that is down there is only its inventory's word."""

    name: str
    roles: tuple[str, ...]
    zone: str
    state: str
    why: str
    vcpus: Room
    memory: Room
    disk: Room
    instances: int
    running: int
    hypervisors: tuple[str, ...]
    recorded: int = 0  # resources, of one that does not answer
    said_dead_by: str = ""
    todo: str = ""


def row(host: Host, answer: Answer) -> Row:
    there = completed(host, answer)
    instances = answer.facts.get("resources", {}).get("instances", [])
    foreign = [one for one in answer.facts.get("foreign", []) if one["state"] in ("running", "paused")]
    wants = [entry["want"] for entry in instances] + foreign
    pools = answer.facts.get("capacity", {}).get("pools", {})
    return Row(
        name=host.name,
        roles=tuple(sorted(host.roles)),
        zone=host.zone,
        state=str(there.state),
        why=there.why,
        vcpus=Room(sum(int(one.get("vcpus", 0)) for one in wants), there.vcpus),
        memory=Room(sum(int(one.get("memory", 0)) for one in wants), there.memory),
        disk=Room(sum(one["size"] - one["free"] for one in pools.values()), sum(one["size"] for one in pools.values())),
        instances=len(instances),
        running=sum(1 for entry in instances if entry.get("state") == "running"),
        hypervisors=tuple(sorted(there.hypervisors)) if answer.answered and "compute" in host.roles else (),
    )


def simulated_row(host: Host, observed: Observed) -> Row:
    """Of a host that there is only on paper: what it has was promised to it, and nothing else is on it."""
    wants = [
        (address.kind, have.want.fields())
        for address, here in observed.haves.items()
        if (have := here.get(host.name)) is not None
    ]
    instances = [want for kind, want in wants if kind == "instances"]
    disks = [want["root"] for want in instances if want.get("root")] + [
        want for kind, want in wants if kind == "volumes"
    ]
    return Row(
        name=host.name,
        roles=tuple(sorted(host.roles)),
        zone=host.zone,
        state=str(host.state),
        why=host.why,
        vcpus=Room(sum(want.get("vcpus", 0) for want in instances), host.vcpus),
        memory=Room(sum(want.get("memory", 0) for want in instances), host.memory),
        disk=Room(
            sum(disk.get("size", 0) for disk in disks),
            sum(pool.size for pool in host.pools.values()),
        ),
        instances=len(instances),
        running=sum(want.get("state", "running") == "running" for want in instances),
        hypervisors=tuple(sorted(host.hypervisors)),
    )


def silent_row(standing: Standing) -> Row:
    """Of a host that left the inventory."""
    host, none = standing.host, Room(0, 0)
    plain = Row(host.name, tuple(sorted(host.roles)), host.zone, "", "", none, none, none, 0, 0, ())
    return standing_of(plain, standing)


def standing_of(one: Row, standing: Standing) -> Row:
    return one._replace(
        state=str(standing.host.state),
        why=one.why or standing.host.why,
        recorded=standing.recorded,
        said_dead_by=standing.said_dead_by,
        todo=told(standing),
    )


def as_json(one: Row) -> Mapping[str, Any]:
    fields = one._asdict()
    for name in ("vcpus", "memory", "disk"):
        fields[name] = fields[name]._asdict()
    return fields
