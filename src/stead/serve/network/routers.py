"""Routers and floating IPs in Neutron's words. A router joins networks; Neutron's subnets stand for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.kinds.floating_ip.realise import way_out
from stead.kinds.router.model import Router
from stead.kinds.shared.routing import ways
from stead.serve.edits import Content, Edit, change, entry_of, remove
from stead.serve.faults import bad, conflict, not_found
from stead.serve.network import ports
from stead.serve.network.networks import find_subnet, status
from stead.serve.routes import Call, true
from stead.serve.world import CloudState, KnownResource, ResourceStatus


def router_data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    model: Router = thing.model
    project = world.project_id(thing.address.project)
    gateway = None
    if model.external is not None:
        outer = next((one for one in ports.of_router(world, thing) if one.key == "external"), None)
        gateway = {
            "network_id": world.id_of(model.external.network),
            "enable_snat": model.snat,
            "external_fixed_ips": [
                {"subnet_id": subnet, "ip_address": address} for subnet, address in (outer.fixed if outer else ())
            ],
        }
    return {
        "id": thing.id,
        "name": thing.name,
        "description": model.description,
        "tenant_id": project,
        "project_id": project,
        "admin_state_up": model.enabled,
        "status": status(thing),
        "external_gateway_info": gateway,
        "routes": [{"destination": one.to, "nexthop": one.via} for one in model.routes],
        "ha": False,
        "distributed": False,
        "availability_zone_hints": [],
        "availability_zones": [],
        "flavor_id": None,
        "enable_ndp_proxy": False,
        "tags": list(thing.settings.tags),
        "revision_number": 1,
        "created_at": thing.created,
        "updated_at": thing.updated,
    }


def router_fields(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    if said.get("admin_state_up") is not None:
        fields["enabled"] = None if true(said["admin_state_up"]) else False
    for name, word in (("name", "display_name"), ("description", "description")):
        if name in said:
            fields[word] = said[name] or None
    if "external_gateway_info" in said:
        fields |= _gateway(call, world, said["external_gateway_info"] or {})
    if "routes" in said:
        fields["routes"] = [{"to": one["destination"], "via": one["nexthop"]} for one in said["routes"] or ()] or None
    return fields


def _gateway(call: Call, world: CloudState, info: Mapping[str, Any]) -> dict[str, Any]:
    if not info.get("network_id"):
        return {"external": None, "snat": None}
    network = world.find("networks", info["network_id"], call.project, what="Network", shared=True)
    if not network.model.external:
        raise bad(f"Network {network.id} is not an external network.")
    asked = [one["ip_address"] for one in info.get("external_fixed_ips") or () if one.get("ip_address")]
    external: dict[str, Any] = {"network": network.address.name, **({"address": asked} if asked else {})}
    return {"external": external, "snat": False if info.get("enable_snat") is False else None}


def join(call: Call, world: CloudState, thing: KnownResource, said: Mapping[str, Any]) -> tuple[Edit, str]:
    """The edit, and the subnet that is joined."""
    if said.get("port_id"):
        return _join_by_port(call, world, thing, said["port_id"])
    if not said.get("subnet_id"):
        raise bad("Either subnet_id or port_id must be specified.")
    subnet = find_subnet(call, world, said["subnet_id"])
    if subnet.net.gateway is None:
        raise bad("The subnet has no gateway, so no router can be it.")
    name, key = subnet.network.address.name, thing.address.name
    if any(one.network == subnet.network.address for one in thing.model.networks):
        raise bad(f"Router already has a port on subnet {subnet.id}")

    def edit(content: Content) -> Content:
        before = entry_of(content, "routers", key).get("networks", [])
        return change(content, "routers", key, {"networks": [*before, {"network": name}]})

    return edit, subnet.id


def _join_by_port(call: Call, world: CloudState, thing: KnownResource, id_: str) -> tuple[Edit, str]:
    """The address of a router has to be known, so that of its port is written down."""
    found = world.find("ports", id_, call.project, what="Port")
    port, key, name = ports.unused(world, found), thing.address.name, found.address.name
    if world.users_of(found.address):
        raise conflict(f"Port {id_} is in use.")
    if not port.fixed:
        raise bad("Router port must have at least one fixed IP")
    if any(one.network == port.network for one in thing.model.networks):
        raise bad(f"Router already has a port on network {world.id_of(port.network)}")

    def edit(content: Content) -> Content:
        before = entry_of(content, "routers", key).get("networks", [])
        content = change(content, "ports", name, {"address": [address for _, address in port.fixed]})
        joined = {"network": port.network.name, "port": name}
        return change(content, "routers", key, {"networks": [*before, joined]})

    return edit, port.fixed[0][0]


def leave(world: CloudState, thing: KnownResource, said: Mapping[str, Any]) -> tuple[Edit, ports.KnownPort]:
    asked = (said.get("subnet_id"), said.get("port_id"))
    port = next(
        (
            one
            for one in ports.of_router(world, thing)
            if one.key != "external" and (one.id == asked[1] or any(subnet == asked[0] for subnet, _ in one.fixed))
        ),
        None,
    )
    if port is None:
        raise not_found("Router interface", asked[0] or asked[1])
    used = [one for one in world.things("floating_ips") if _goes_through(world, one, port)]
    if used:
        raise conflict(f"Router interface for subnet cannot be deleted, as it is required by floating IP {used[0].id}.")
    name, key = port.network.name, thing.address.name

    def edit(content: Content) -> Content:
        before = entry_of(content, "routers", key).get("networks", [])
        left = [one for one in before if one["network"] != name] or None
        content = change(content, "routers", key, {"networks": left})
        return remove(content, "ports", port.own.address.name) if port.own is not None else content

    return edit, port


def _goes_through(world: CloudState, floating: KnownResource, port: ports.KnownPort) -> bool:
    behind = ports.where_leads(world, floating)
    return behind is not None and behind.network == port.network


def interface_data(world: CloudState, thing: KnownResource, port: ports.KnownPort, subnet: str) -> dict[str, Any]:
    project = world.project_id(thing.address.project)
    return {
        "id": thing.id,
        "tenant_id": project,
        "project_id": project,
        "port_id": port.id,
        "network_id": world.id_of(port.network),
        "subnet_id": subnet,
        "subnet_ids": [each for each, _ in port.fixed],
        "tags": [],
    }


def floating_data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    project = world.project_id(thing.address.project)
    port = ports.where_leads(world, thing)
    router, leads = _router_of(world, thing), port or thing.model.forwards
    return {
        "id": thing.id,
        "tenant_id": project,
        "project_id": project,
        "floating_network_id": world.id_of(thing.model.network),
        "floating_ip_address": thing.leases.get("address", thing.model.address or ""),
        "fixed_ip_address": next((one for _, one in port.fixed if ":" not in one), None) if port else None,
        "port_id": port.id if port else None,
        "router_id": router,
        "status": "ERROR" if thing.state is ResourceStatus.FAILED else "ACTIVE" if leads else "DOWN",
        "description": thing.model.description,
        "port_details": _port_details(world, port) if port else None,
        "port_forwardings": _forwardings(thing),
        "dns_domain": "",
        "dns_name": "",
        "qos_policy_id": None,
        "tags": list(thing.settings.tags),
        "revision_number": 1,
        "created_at": thing.created,
        "updated_at": thing.updated,
    }


def _forwardings(thing: KnownResource) -> list[dict[str, Any]]:
    return [
        {"protocol": one.protocol, "external_port": one.port, "internal_port": one.to.port or one.port}
        for one in thing.model.forwards
    ]


def _port_details(world: CloudState, port: ports.KnownPort) -> dict[str, Any]:
    names = ("name", "network_id", "mac_address", "admin_state_up", "status", "device_id", "device_owner")
    found = ports.data(world, port)
    return {name: found[name] for name in names}


def _router_of(world: CloudState, thing: KnownResource) -> str | None:
    found = way_out(thing.block, world.desired)
    return world.id_of(found) if found is not None else None


NOWHERE: Mapping[str, Any] = {"instance": None, "inside": None, "port": None}


def leads_to(call: Call, world: CloudState, external: Address, port_id: str | None) -> dict[str, Any]:
    """The fields of a floating IP of this network that leads to this port; to none, it is only kept."""
    if not port_id:
        return {**NOWHERE}
    port = next((one for one in ports.all_ports(world, [call.project]) if one.id == port_id), None)
    if port is None or (port.own is None and port.owner.address.kind != "instances"):
        raise not_found("Port", port_id)
    if all(way.external != external for way in ways(world.desired).get(port.network, ())):
        raise not_found(f"A router from the network of port {port_id} to network", world.id_of(external))
    if port.own is not None:
        return {**NOWHERE, "port": port.own.address.name}
    return {"instance": port.owner.address.name, "inside": port.network.name, "port": None}
