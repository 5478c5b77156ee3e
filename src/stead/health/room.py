"""How full a host is, from what it said: what instances were promised, against what there is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from stead.core.named import NamedTuple
from stead.core.observed import Host, Observed
from stead.health.silent import Standing, told
from stead.kinds import kinds
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


def _guests() -> list[str]:
    return [plural for plural, kind in kinds().items() if kind.guest]


def row(host: Host, answer: Answer) -> Row:
    there = completed(host, answer)
    guests = [entry for kind in _guests() for entry in answer.facts.get("resources", {}).get(kind, [])]
    foreign = [one for one in answer.facts.get("foreign", []) if one["state"] in ("running", "paused")]
    wants = [entry["want"] for entry in guests] + foreign
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
        instances=len(guests),
        running=sum(1 for entry in guests if entry.get("state") == "running"),
        hypervisors=tuple(sorted(there.hypervisors)) if answer.answered and "compute" in host.roles else (),
    )


def simulated_row(host: Host, observed: Observed) -> Row:
    """Of a host that there is only on paper: what it has was promised to it, and nothing else is on it."""
    wants = [
        (kinds()[address.kind], have.want.fields())
        for address, here in observed.haves.items()
        if address.kind in kinds() and (have := here.get(host.name)) is not None
    ]
    guests = [want for kind, want in wants if kind.guest]
    used: Counter[str] = Counter()
    for kind, want in wants:
        for _at, name, amount in kind.host_needs(want).amounts:
            used[name.partition(":")[0]] += amount
    return Row(
        name=host.name,
        roles=tuple(sorted(host.roles)),
        zone=host.zone,
        state=str(host.state),
        why=host.why,
        vcpus=Room(used["vcpus"], host.vcpus),
        memory=Room(used["memory"], host.memory),
        disk=Room(used["disk"], sum(pool.size for pool in host.pools.values())),
        instances=len(guests),
        running=sum(want.get("state", "running") == "running" for want in guests),
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
