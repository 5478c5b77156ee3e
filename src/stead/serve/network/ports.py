"""Ports are interfaces: those of instances and of routers. Each has an id made of its owner's and its network's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.kinds.floating_ip.realise import inside
from stead.kinds.instance.nics import interfaces as instance_interfaces
from stead.kinds.instance.nics import is_filtered
from stead.kinds.router.needs import Joined, interfaces
from stead.kinds.shared.network_names import keys
from stead.serve.world import CloudState, KnownResource, ResourceStatus, made_of

_STATUS = {ResourceStatus.MADE: "ACTIVE", ResourceStatus.BUILDING: "DOWN", ResourceStatus.FAILED: "ERROR"}


class Port(NamedTuple):
    id: str
    owner: KnownResource  # the instance or router
    key: str  # of the interface, as its leases have it
    network: Address
    mac: str
    fixed: tuple[tuple[str, str], ...]  # subnet's id, address
    groups: tuple[Address, ...]
    filtered: bool
    role: str  # device_owner


def port_id(owner: str, key: str) -> str:
    return made_of(owner, "port", key)


def subnet_id(network: str, name: str) -> str:
    return made_of(network, "subnet", name)


def of_server(world: CloudState, thing: KnownResource) -> Iterator[Port]:
    for seat in instance_interfaces(thing.block, world.desired):
        network = world.id_of(seat.network.members[0])
        versions = {f"nics.{seat.key}.v{stand.net.version}": stand.net.name for stand in seat.stands}
        fixed = [(subnet_id(network, versions[key]), thing.leases[key]) for key in seat.leased if key in thing.leases]
        if seat.made_from_mac and seat.mac in thing.leases:
            last = seat.addresses(thing.leases)[-len(seat.made_from_mac) :]
            fixed += [(subnet_id(network, net.name), one) for net, one in zip(seat.made_from_mac, last, strict=True)]
        yield Port(
            id=port_id(thing.id, seat.key),
            owner=thing,
            key=seat.key,
            network=seat.network.members[0],
            mac=thing.leases.get(seat.mac, ""),
            fixed=tuple(fixed),
            groups=seat.groups,
            filtered=is_filtered(seat.nic, seat.network),
            role="compute:nova",
        )


def of_router(world: CloudState, thing: KnownResource) -> Iterator[Port]:
    for joined in interfaces(thing.block, world.desired):
        outside = joined.key == "external"
        role = "network:router_gateway" if outside else "network:router_interface"
        network = world.id_of(joined.block.members[0])
        yield Port(
            id=port_id(thing.id, joined.key),
            owner=thing,
            key=joined.key,
            network=joined.block.members[0],
            mac=thing.leases.get(joined.mac, ""),
            fixed=tuple(_fixed(joined, network, thing)),
            groups=(),
            filtered=False,
            role=role,
        )


def _fixed(joined: Joined, network: str, thing: KnownResource) -> Iterator[tuple[str, str]]:
    for stand in joined.stands:
        address = thing.leases.get(joined.lease(stand.net)) or stand.fixed
        if address:
            yield subnet_id(network, stand.net.name), address


def all_ports(world: CloudState, projects: list[str] | None) -> Iterator[Port]:
    for thing in world.things("instances", projects):
        yield from of_server(world, thing)
    for thing in world.things("routers", projects):
        yield from of_router(world, thing)


def data(world: CloudState, port: Port) -> dict[str, Any]:
    owner = port.owner
    project = "" if port.role == "network:router_gateway" else world.project_id(owner.address.project)
    host = owner.host
    return {
        "id": port.id,
        "name": "",
        "network_id": world.id_of(port.network),
        "tenant_id": project,
        "project_id": project,
        "mac_address": port.mac,
        "admin_state_up": True,
        "status": _STATUS[owner.state],
        "device_id": owner.id,
        "device_owner": port.role,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in port.fixed],
        "allowed_address_pairs": [],
        "security_groups": [world.id_of(one) for one in port.groups],
        "port_security_enabled": port.filtered,
        "extra_dhcp_opts": [],
        "binding:vnic_type": "normal",
        "binding:host_id": host,
        "binding:vif_type": "bridge" if host else "unbound",
        "binding:vif_details": {},
        "binding:profile": {},
        "description": "",
        "tags": [],
        "revision_number": 1,
        "created_at": owner.created,
        "updated_at": owner.updated,
    }


def where_leads(world: CloudState, thing: KnownResource) -> Port | None:
    """The port behind a floating IP."""
    found = inside(thing.block, world.desired)
    if found is None or found.instance not in world.desired.by_address:
        return None
    server = world.thing(found.instance)
    return next((one for one in of_server(world, server) if one.network == found.network), None)


def floating_of(world: CloudState) -> Mapping[str, list[str]]:
    """Port -> floating IPs that lead to it; worked out once for a world."""
    known: Mapping[str, list[str]] | None = world.__dict__.get("_floating")
    if known is None:
        found: dict[str, list[str]] = {}
        for thing in world.things("floating_ips"):
            port = where_leads(world, thing)
            if port is not None and "address" in thing.leases:
                found.setdefault(port.id, []).append(thing.leases["address"])
        known = world.__dict__["_floating"] = found
    return known


def key_of(networks: list[Address], project: str, at: int) -> str:
    return list(keys(networks, project))[at]
