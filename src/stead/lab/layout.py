"""Decides every name and address of a lab from its sizes, its name and a free subnet. Pure: the same lab each time.

All of a lab is in this one value, kept as JSON beside it, so that `down` knows what to look for after any accident.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from stead.lab.sizes import HostSet, PhysicalNetwork, Sizes

FIRST_HOST = 11  # below it: the machine (.1), and room for addresses a test wants by hand
UNDERLAY = "eth0"
NEIGHBOUR = "neighbour"
STREAM = uuid.UUID("5a3c1b1e-6f0e-4c55-9d0a-0c7b1a2f5d11")  # a namespace for uuid5; any fixed value would do


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One cable of a host: its network, the name inside the host, and the port it is plugged into."""

    network: str  # "underlay" or a physical network
    device: str
    port: str
    mac: str
    address: str | None = None  # with its prefix


@dataclass(frozen=True, slots=True, kw_only=True)
class LabHost:
    name: str
    roles: tuple[str, ...]
    address: str
    namespace: str
    machine_id: str
    links: tuple[Link, ...]
    zone: str | None = None
    cpus: int | None = None
    memory: int | None = None
    disk: int | None = None  # bytes for /var/lib/stead; otherwise as many as the machine has
    pools: Mapping[str, Any] | None = None
    variables: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class LabPhysicalNetwork:
    """A physical network: a bridge in the switch's namespace, and the neighbour's addresses in it."""

    name: str
    bridge: str
    cidr: str
    gateway: str
    cidr6: str | None = None
    gateway6: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LabLayout:
    name: str
    base: str
    mtu: int
    underlay: str
    machine_address: str  # this machine's own, in the underlay
    machine_link: str
    switch: str  # the namespace with the bridges
    neighbour: str  # the namespace that stands for the outside
    physical: tuple[LabPhysicalNetwork, ...]
    hosts: tuple[LabHost, ...]

    def host(self, name: str) -> LabHost | None:
        return next((one for one in self.hosts if one.name == name), None)

    @property
    def namespaces(self) -> tuple[str, ...]:
        return (self.switch, self.neighbour, *(one.namespace for one in self.hosts))


def lay_out(sizes: Sizes, name: str, underlay: ipaddress.IPv4Network) -> LabLayout:
    physical = tuple(lay_physical(one, index) for index, one in enumerate(sizes.physical))
    return LabLayout(
        name=name,
        base=sizes.base,
        mtu=sizes.mtu,
        underlay=str(underlay),
        machine_address=f"{underlay[1]}/{underlay.prefixlen}",
        machine_link=f"sl-{name}",
        switch=f"stead-{name}",
        neighbour=f"stead-{name}.{NEIGHBOUR}",
        physical=physical,
        hosts=tuple(
            lay_host(sizes, name, underlay, one, number, place)
            for place, (one, number) in enumerate(
                (one, number) for one in sizes.sets for number in range(1, one.count + 1)
            )
        ),
    )


def lay_physical(one: PhysicalNetwork, index: int) -> LabPhysicalNetwork:
    return LabPhysicalNetwork(
        name=one.name,
        bridge=f"phys{index}",
        cidr=str(one.cidr),
        gateway=f"{one.cidr[1]}/{one.cidr.prefixlen}",
        cidr6=str(one.cidr6) if one.cidr6 else None,
        gateway6=f"{one.cidr6[1]}/{one.cidr6.prefixlen}" if one.cidr6 else None,
    )


def lay_host(sizes: Sizes, lab: str, underlay: ipaddress.IPv4Network, one: HostSet, number: int, place: int) -> LabHost:
    name = f"{one.name}-{number}"
    address = underlay[FIRST_HOST + place]
    plugged = [net for net in sizes.physical if {one.name, *one.roles} & set(net.sets)]
    cables = [("underlay", f"{address}/{underlay.prefixlen}"), *((net.name, None) for net in plugged)]
    links = tuple(
        Link(network=network, device=f"eth{index}", port=f"h{place}e{index}", mac=mac(lab, name, index), address=given)
        for index, (network, given) in enumerate(cables)
    )
    return LabHost(
        name=name,
        roles=one.roles,
        address=str(address),
        namespace=f"stead-{lab}.{name}",
        machine_id=uuid.uuid5(STREAM, f"{lab}/{name}").hex,
        links=links,
        zone=one.zones[(number - 1) % len(one.zones)] if one.zones else None,
        cpus=one.cpus,
        memory=one.memory,
        disk=one.disk,
        pools=one.pools,
        variables=one.variables,
    )


def mac(lab: str, host: str, index: int) -> str:
    """02: an address that nobody was given by the IEEE."""
    digest = hashlib.sha256(f"{lab}/{host}/{index}".encode()).digest()
    return ":".join(["02", *(f"{byte:02x}" for byte in digest[:5])])


def to_json(layout: LabLayout) -> str:
    return json.dumps(asdict(layout), indent=1)


def from_json(text: str) -> LabLayout:
    tree = json.loads(text)
    hosts = tuple(
        LabHost(**{**one, "roles": tuple(one["roles"]), "links": tuple(Link(**link) for link in one["links"])})
        for one in tree.pop("hosts")
    )
    return LabLayout(
        **{**tree, "hosts": hosts, "physical": tuple(LabPhysicalNetwork(**one) for one in tree["physical"])}
    )
