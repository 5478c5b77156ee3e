"""Ports are interfaces of instances and routers, and what is kept for one: a port of its own.

A port of its own has its own id, whoever uses it; any other's is made of its owner's and its network's.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.kinds.floating_ip.realise import inside
from stead.kinds.instance.nics import InstanceInterface
from stead.kinds.instance.nics import interfaces as instance_interfaces
from stead.kinds.router.needs import Joined, interfaces
from stead.kinds.shared.firewall import default_group
from stead.kinds.shared.interfaces import AllowedAddress, is_filtered, own_slots
from stead.kinds.shared.network_names import keys
from stead.kinds.shared.subnets import network_block, slaac
from stead.language.desired import Block
from stead.serve.world import CloudState, KnownResource, ResourceStatus, made_of

_STATUS = {ResourceStatus.MADE: "ACTIVE", ResourceStatus.BUILDING: "DOWN", ResourceStatus.FAILED: "ERROR"}


class KnownPort(NamedTuple):
    id: str
    owner: KnownResource  # the instance or router; of one that nobody uses, the port itself
    key: str  # of the interface, as its leases have it
    network: Address
    mac: str
    fixed: tuple[tuple[str, str], ...]  # subnet's id, address
    groups: tuple[Address, ...]
    filtered: bool
    role: str  # device_owner
    own: KnownResource | None = None  # the port itself, where it is one of its own


def port_id(owner: str, key: str) -> str:
    return made_of(owner, "port", key)


def subnet_id(network: str, name: str) -> str:
    return made_of(network, "subnet", name)


def id_of_interface(world: CloudState, thing: KnownResource, seat: InstanceInterface) -> str:
    return world.id_of(seat.nic.port) if seat.nic.port is not None else port_id(thing.id, seat.key)


def of_server(world: CloudState, thing: KnownResource) -> Iterator[KnownPort]:
    for seat in instance_interfaces(thing.block, world.desired):
        network = world.id_of(seat.network.members[0])
        versions = {f"nics.{seat.key}.v{stand.net.version}": stand.net.name for stand in seat.stands}
        fixed = [(subnet_id(network, versions[key]), thing.leases[key]) for key in seat.leased if key in thing.leases]
        if seat.made_from_mac and seat.mac in thing.leases:
            last = seat.addresses(thing.leases)[-len(seat.made_from_mac) :]
            fixed += [(subnet_id(network, net.name), one) for net, one in zip(seat.made_from_mac, last, strict=True)]
        own = world.thing(seat.nic.port) if seat.nic.port is not None else None
        yield KnownPort(
            id=id_of_interface(world, thing, seat),
            owner=thing,
            own=own,
            key=seat.key,
            network=seat.network.members[0],
            mac=thing.leases.get(seat.mac, ""),
            fixed=tuple(fixed),
            groups=seat.groups,
            filtered=is_filtered(seat.nic, seat.network),
            role="compute:nova",
        )


def of_router(world: CloudState, thing: KnownResource) -> Iterator[KnownPort]:
    for joined in interfaces(thing.block, world.desired):
        outside = joined.key == "external"
        role = "network:router_gateway" if outside else "network:router_interface"
        network = world.id_of(joined.block.members[0])
        own = world.thing(joined.port) if joined.port is not None else None
        yield KnownPort(
            id=own.id if own is not None else port_id(thing.id, joined.key),
            owner=thing,
            own=own,
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
        address = stand.fixed or thing.leases.get(joined.lease(stand.net))
        if address:
            yield subnet_id(network, stand.net.name), address


def unused(world: CloudState, thing: KnownResource) -> KnownPort:
    network = network_block(thing.model.network, world.desired)
    groups = thing.model.security_groups
    filtered = network is not None and is_filtered(thing.model, network)
    return KnownPort(
        id=thing.id,
        owner=thing,
        own=thing,
        key="",
        network=thing.model.network,
        mac=thing.leases.get("mac", ""),
        fixed=tuple(_own_fixed(world, thing, network)) if network is not None else (),
        groups=(groups if groups is not None else (default_group(thing.address.project),)) if filtered else (),
        filtered=filtered,
        role="",
    )


def _own_fixed(world: CloudState, thing: KnownResource, network: Block) -> Iterator[tuple[str, str]]:
    """What a guest will make from the MAC is known as well."""
    id_, mac = world.id_of(thing.model.network), thing.leases.get("mac", "")
    for slot in own_slots(thing.model, network, world.desired):
        lease = thing.leases.get(f"v{slot.net.version}")
        if slot.net.slaac and not slot.fixed and mac:
            yield subnet_id(id_, slot.net.name), slaac(slot.net, mac)
        elif lease is not None:
            yield subnet_id(id_, slot.net.name), lease


def all_ports(world: CloudState, projects: list[str] | None) -> Iterator[KnownPort]:
    used = set()
    for kind, of in (("instances", of_server), ("routers", of_router)):
        for thing in world.things(kind, projects):
            for port in of(world, thing):
                used.add(port.id)
                yield port
    for thing in world.things("ports", projects):
        if thing.id not in used:
            yield unused(world, thing)


def data(world: CloudState, port: KnownPort) -> dict[str, Any]:
    owner, own = port.owner, port.own
    about = own or owner
    project = "" if port.role == "network:router_gateway" else world.project_id(owner.address.project)
    host = owner.host
    return {
        "id": port.id,
        "name": own.name if own is not None and own.settings.display_name else "",
        "network_id": world.id_of(port.network),
        "tenant_id": project,
        "project_id": project,
        "mac_address": port.mac,
        "admin_state_up": own is None or own.model.enabled,
        "status": _STATUS[owner.state] if port.role else "DOWN",
        "device_id": owner.id if port.role else "",
        "device_owner": port.role,
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in port.fixed],
        "allowed_address_pairs": [_pair(one, port) for one in own.model.allowed_addresses] if own is not None else [],
        "security_groups": [world.id_of(one) for one in port.groups],
        "port_security_enabled": port.filtered,
        "extra_dhcp_opts": [],
        "binding:vnic_type": "normal",
        "binding:host_id": host,
        "binding:vif_type": "bridge" if host else "unbound",
        "binding:vif_details": {},
        "binding:profile": {},
        "description": own.model.description if own is not None else "",
        "tags": list(own.settings.tags) if own is not None else [],
        "revision_number": 1,
        "created_at": about.created,
        "updated_at": about.updated,
    }


def _pair(one: AllowedAddress, port: KnownPort) -> dict[str, str]:
    return {"ip_address": one.address, "mac_address": one.mac or port.mac}


def where_leads(world: CloudState, thing: KnownResource) -> KnownPort | None:
    """The port behind a floating IP."""
    if thing.model.port is not None and thing.model.port in world.desired.by_address:
        id_ = world.id_of(thing.model.port)
        return next((one for one in all_ports(world, [thing.address.project]) if one.id == id_), None)
    found = inside(thing.block, world.desired)
    if found is None or found.target.kind != "instances" or found.target not in world.desired.by_address:
        return None
    server = world.thing(found.target)
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
