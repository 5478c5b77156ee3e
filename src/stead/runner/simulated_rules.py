"""What a real host would refuse, so that simulated ones refuse it too.

What this version has no host code for, no room, a network or image that is not there, a UUID that something else has.
Asks and changes nothing. The words of wants are those of the kinds; a want that says nothing of what it needs is taken
as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

from stead.core.kind import HostNeeds
from stead.core.observed import Host
from stead.core.value import field, mutable
from stead.core.want import Want
from stead.kinds import kinds


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
        kind = kinds().get(kind_of(address))
        key = want.digest if kind is not None and kind.own_needs else want.body.digest
        known = self._needs.get(key)
        if known is None:
            known = self._needs[key] = Needs(kind_of(address), want)
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
        for missing in needs.missing(self, host):
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
    """What a want asks of a host: of most kinds, what its body does."""

    def __init__(self, plural: str, want: Want) -> None:
        self._plural = plural
        self._kind = kinds().get(plural)
        self._want = want

    @cached_property
    def _fields(self) -> Mapping[str, Any]:
        return self._want.fields() if self._kind is not None and self._kind.own_needs else self._want.body.fields()

    @cached_property
    def unable(self) -> str:
        """Why the host code of this version would refuse it, by the table that says so."""
        return self._of_host.unable

    @cached_property
    def _of_host(self) -> HostNeeds:
        return self._kind.host_needs(self._fields) if self._kind is not None else HostNeeds()

    def amounts(self, host: str) -> Iterator[tuple[str, str, int]]:
        for at, name, amount in self._of_host.amounts:
            yield at or host, name, amount

    def missing(self, site: SimulatedSite, host: str) -> Iterator[str]:
        there, needs = site.on(host).things, self._of_host
        for address in needs.beside:
            if address not in there:
                yield f"{_named(address)} is not on {host}"
        for address, uuid in needs.anywhere:
            if not site.anywhere(address, uuid):
                yield f"{_named(address)} does not exist"
        if needs.physical and host in site.hosts and needs.physical not in site.hosts[host].physical_networks:
            yield f"{host} has no device for the physical network {needs.physical}"


def _named(address: str) -> str:
    kind = kinds().get(kind_of(address))
    return f"{kind.name} {address}" if kind is not None else address


def kind_of(address: str) -> str:
    parts = address.split("/", 2)
    return parts[1] if len(parts) == 3 else parts[0]


def capacities(host: Host) -> dict[str, float]:
    raw = {"vcpus": host.vcpus, "memory": host.memory} | {f"disk:{one.name}": one.size for one in host.pools.values()}
    return {
        name: (amount - host.reserved.get(name, 0)) * host.overcommit.get(name, 1.0) for name, amount in raw.items()
    }
