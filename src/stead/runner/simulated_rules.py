"""What a real host would refuse, so that simulated ones refuse it too.

What this version has no host code for, no room, a network or image that is not there, a UUID that something else has.
Asks and changes nothing. The words of wants are those of the kinds; a want that says nothing of what it needs is taken
as it is.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from ansible_collections.stead.cloud.plugins.module_utils.wire import abilities
from stead.core.observed import Host
from stead.core.value import field, mutable
from stead.core.want import EMPTY, Body, Want
from stead.drivers import network


@mutable
class Contents:
    """What one host holds."""

    things: dict[str, Want] = field(default_factory=dict)  # address ->
    uuids: dict[str, str] = field(default_factory=dict)  # uuid -> address
    used: dict[str, int] = field(default_factory=dict)  # "vcpus", "memory", "disk:fast"


class SimulatedSite:
    """All simulated hosts: what they can hold, from the inventory, and what they do hold."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self.hosts = hosts
        self.contents: dict[str, Contents] = {}
        self._needs: dict[str, Needs] = {}
        self._capacities: dict[str, dict[str, float]] = {}

    def on(self, host: str) -> Contents:
        found = self.contents.get(host)
        if found is None:
            found = self.contents[host] = Contents()
        return found

    def put(self, address: str, host: str, uuid: str, want: Want) -> None:
        contents = self.on(host)
        self._count(address, host, contents.things.get(address), -1)
        self._count(address, host, want, +1)
        contents.things[address] = want
        contents.uuids[uuid] = address

    def drop(self, address: str, host: str) -> None:
        contents = self.on(host)
        self._count(address, host, contents.things.pop(address, None), -1)
        for uuid in [uuid for uuid, one in contents.uuids.items() if one == address]:
            del contents.uuids[uuid]

    def _count(self, address: str, host: str, want: Want | None, sign: int) -> None:
        if want is not None:
            for pool_host, name, amount in self.needs(address, want).amounts(host):
                used = self.on(pool_host).used
                used[name] = used.get(name, 0) + sign * amount

    def needs(self, address: str, want: Want) -> Needs:
        """Made once for all that share a body."""
        known = self._needs.get(want.body.digest)
        if known is None:
            known = self._needs[want.body.digest] = Needs(kind_of(address), want.body)
        return known

    def refusal(self, address: str, host: str, uuid: str, want: Want) -> str:
        """Why this host would not take it. Empty when it would."""
        contents = self.on(host)
        other = contents.uuids.get(uuid, address)
        if other != address:
            return f"{other} has UUID {uuid} on {host} already"
        needs = self.needs(address, want)
        if needs.unable:
            return needs.unable
        for missing in needs.missing(self, host, want):
            return missing
        before = contents.things.get(address)
        held = {(at, name): amount for at, name, amount in self.needs(address, before).amounts(host)} if before else {}
        for at, name, amount in needs.amounts(host):
            room = self._capacity(at, name) - self.on(at).used.get(name, 0) + held.get((at, name), 0)
            if amount > room:
                return f"{at} has no room for {address}: it needs {amount} of {name}, and {max(int(room), 0)} is left"
        return ""

    def _capacity(self, host: str, name: str) -> float:
        known = self._capacities.get(host)
        if known is None:
            known = self._capacities[host] = capacities(self.hosts[host]) if host in self.hosts else {}
        return known.get(name, float("inf"))

    def anywhere(self, address: str, uuid: str) -> bool:
        return any(one.uuids.get(uuid) == address for one in self.contents.values())


class Needs:
    """What a body asks of a host."""

    def __init__(self, kind: str, body: Body) -> None:
        self._kind = kind
        self._body = body

    @cached_property
    def _fields(self) -> dict[str, Any]:
        return self._body.fields() if self._kind in _READ else {}

    @cached_property
    def unable(self) -> str:
        """Why the host code of this version would refuse it, by the table that says so."""
        if self._kind == "networks":
            return network.refusal(self._fields)
        return abilities.refusal(self._kind, self._fields)

    @cached_property
    def _amounts(self) -> tuple[tuple[str, str, int], ...]:
        """(host of the pool or "", name, amount)."""
        fields = self._fields
        if self._kind == "instances":
            root = fields.get("root", {})
            return (
                ("", "vcpus", int(fields.get("vcpus", 0))),
                ("", "memory", int(fields.get("memory", 0))),
                *_disk(root.get("pool"), sum(int(root.get(one, 0)) for one in ("size", "swap", "ephemeral"))),
            )
        return tuple(_disk(fields.get("pool"), int(fields.get("size", 0)))) if self._kind == "volumes" else ()

    def amounts(self, host: str) -> Iterator[tuple[str, str, int]]:
        for at, name, amount in self._amounts:
            yield at or host, name, amount

    @cached_property
    def _here(self) -> tuple[tuple[str, str], ...]:
        """(address, what it is) that must be on the same host."""
        fields, kind = self._fields, self._kind
        found: list[tuple[str, str]] = []
        if kind == "instances":
            found += [(str(nic["network"]), "network") for nic in fields.get("nics", {}).values() if "network" in nic]
            found += [(one["address"], "image") for one in (fields.get("image"), fields.get("cdrom")) if one]
        elif kind == "volumes" and (image := fields.get("origin", {}).get("image")):
            found.append((image["address"], "image"))
        elif kind == "snapshots" and (volume := fields.get("volume")):
            found.append((volume["address"], "volume"))
        return tuple(found)

    def missing(self, site: SimulatedSite, host: str, want: Want) -> Iterator[str]:
        there = site.on(host).things
        for address, what in self._here:
            if address not in there:
                yield f"{what} {address} is not on {host}"
        if self._kind == "routers":
            for network in _networks(want):
                if network not in there:
                    yield f"network {network} is not on {host}"
        fields = self._fields
        for address, volume in fields.get("volumes", {}).items() if self._kind == "instances" else ():
            if not site.anywhere(address, volume.get("uuid", "")):
                yield f"volume {address} does not exist"
        physical = fields.get("physical") if self._kind == "networks" else None
        if physical and host in site.hosts and physical not in site.hosts[host].physical_networks:
            yield f"{host} has no device for the physical network {physical}"


_READ = frozenset({"instances", "volumes", "snapshots", "networks", "routers"})


def _disk(pool: Mapping[str, Any] | None, size: int) -> Iterator[tuple[str, str, int]]:
    if pool and size:
        yield str(pool.get("host", "")), f"disk:{pool.get('name', '')}", size


def _networks(want: Want) -> Iterator[str]:
    own = json.loads(want.own) if want.own != EMPTY else {}
    fields = {**want.body.fields(), **own}
    yield from fields.get("interfaces", {})
    if network := fields.get("external", {}).get("network"):
        yield network


def kind_of(address: str) -> str:
    parts = address.split("/", 2)
    return parts[1] if len(parts) == 3 else parts[0]


def capacities(host: Host) -> dict[str, float]:
    raw = {"vcpus": host.vcpus, "memory": host.memory} | {f"disk:{one.name}": one.size for one in host.pools.values()}
    return {
        name: (amount - host.reserved.get(name, 0)) * host.overcommit.get(name, 1.0) for name, amount in raw.items()
    }
