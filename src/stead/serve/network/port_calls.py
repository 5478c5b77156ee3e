"""Calls for ports: those of their own are made here; the others follow from servers and routers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from stead.kinds.shared.subnets import within
from stead.serve.edits import Content, Edit, all_of, change, entry_of, remove
from stead.serve.faults import bad, conflict, not_found
from stead.serve.network import ports, routers
from stead.serve.network.answers import answered, common, in_own, made, own_projects, told
from stead.serve.network.networks import SubnetResource, find_subnet, subnets_of
from stead.serve.routes import ApiReply, Call, true
from stead.serve.world import CloudState, KnownResource


def list_ports(call: Call) -> ApiReply:
    world = call.world
    items = [ports.data(world, one) for one in ports.all_ports(world, own_projects(call))]
    wanted = [text.partition("=") for name, text in call.query if name == "fixed_ips"]
    for name, _, text in wanted:
        items = [one for one in items if any(_fits(each, name, text) for each in one["fixed_ips"])]
    call.query = [pair for pair in call.query if pair[0] != "fixed_ips"]
    return answered(call, "ports", items)


def _fits(fixed: Mapping[str, str], name: str, text: str) -> bool:
    return text in fixed["ip_address"] if name == "ip_address_substr" else fixed.get(name) == text


def _port(call: Call, world: CloudState, id_: str) -> ports.KnownPort:
    for one in ports.all_ports(world, own_projects(call)):
        if one.id == id_:
            return one
    raise not_found("Port", id_)


def show_port(call: Call) -> ApiReply:
    return ApiReply(body={"port": ports.data(call.world, _port(call, call.world, call.path["id"]))})


def create_port(call: Call) -> ApiReply:
    def fields(said: Mapping[str, Any]) -> dict[str, Any]:
        in_own(call, said)
        world = call.world
        network = _network(call, world, str(said["network_id"]))
        if said.get("device_id"):
            raise bad("A port is given to a server with the server, or as an interface of it: leave device_id out.")
        return {"network": network.address.name, **_fields(call, world, network, said, is_new=True)}

    things = made(call, "ports", "port", "ports", fields)
    world = call.world
    return told(call, "port", "ports", [ports.data(world, ports.unused(world, one)) for one in things])


def _network(call: Call, world: CloudState, id_: str) -> KnownResource:
    return world.find("networks", id_, call.project, what="Network", shared=True)


def _fields(
    call: Call, world: CloudState, network: KnownResource, said: Mapping[str, Any], *, is_new: bool = False
) -> dict[str, Any]:
    """What the body says; None where it says that nothing is said."""
    found: dict[str, Any] = common({**said, "admin_state_up": True})
    if said.get("admin_state_up") is not None:
        found["enabled"] = None if true(said["admin_state_up"]) else False
    if said.get("fixed_ips") is not None or is_new:
        found |= _addresses(call, world, network, said.get("fixed_ips"))
    if said.get("mac_address"):
        found["mac"] = said["mac_address"]
    if said.get("security_groups") is not None:
        found["security_groups"] = _groups(call, world, said["security_groups"])
    if said.get("port_security_enabled") is not None:
        found["port_security"] = true(said["port_security_enabled"])
    if "allowed_address_pairs" in said:
        pairs = said["allowed_address_pairs"] or ()
        found["allowed_addresses"] = [
            {"address": one["ip_address"], **({"mac": one["mac_address"]} if one.get("mac_address") else {})}
            for one in pairs
        ] or None
    return found


def _addresses(
    call: Call, world: CloudState, network: KnownResource, said: Sequence[Mapping[str, Any]] | None
) -> dict[str, Any]:
    """Its subnets are written down: a port that is there has no address in a subnet that comes later, as in Neutron."""
    subnets = [*subnets_of(world, network)]
    if said is None:
        return {"subnets": _first_of_each_family(subnets)}
    there = [_subnet(call, world, network, subnets, one) for one in said]
    if len({one.net.version for one in there}) < len(there):
        raise bad("An interface has one address of each family.")
    addresses = [str(one["ip_address"]) for one in said if one.get("ip_address")]
    return {"subnets": [one.key for one in there], "address": addresses or None}


def _first_of_each_family(subnets: Sequence[SubnetResource]) -> list[str]:
    firsts = {one.net.version: one.key for one in sorted(subnets, key=lambda one: one.net.name, reverse=True)}
    return [firsts[version] for version in sorted(firsts)]


def _subnet(
    call: Call, world: CloudState, network: KnownResource, subnets: Sequence[SubnetResource], said: Mapping[str, Any]
) -> SubnetResource:
    if said.get("subnet_id"):
        found = find_subnet(call, world, said["subnet_id"])
        if found.network.address != network.address:
            raise bad(f"Subnet {said['subnet_id']} is of another network.")
        return found
    if not said.get("ip_address"):
        raise bad("Each of fixed_ips needs a subnet_id or an ip_address.")
    try:
        return next(one for one in subnets if within(said["ip_address"], one.net.cidr))
    except (ValueError, StopIteration) as error:
        raise bad(f"IP address {said['ip_address'][:60]} is not a valid IP for any subnet of the network.") from error


def _groups(call: Call, world: CloudState, ids: list[str]) -> list[str]:
    return [world.find("security_groups", one, call.project, what="Security group").address.name for one in ids]


def change_port(call: Call) -> ApiReply:
    """All of one of its own; of an interface that a server made for itself, its security groups."""
    world, said = call.world, call.body["port"]
    port = _port(call, world, call.path["id"])
    call.act_in(port.owner.address.project)
    if port.own is not None:
        name = port.own.address.name
        fields = _fields(call, world, world.thing(port.network), said)
        call.edit("change port", lambda content: change(content, "ports", name, fields))
        return show_port(call)
    if port.role == "network:router_interface" and said.get("fixed_ips"):
        _stand_at(call, world, port, said["fixed_ips"])
        return show_port(call)
    if set(said) - {"security_groups", "name", "description"}:
        raise bad("Of a port that came with its server or router, only the security groups can be changed.")
    if said.get("security_groups") is not None and port.owner.address.kind == "instances":
        wanted = _groups(call, world, said["security_groups"])
        call.edit("change port", with_interface(world, port, lambda nic: [{**nic, "security_groups": wanted}]))
    return show_port(call)


def _stand_at(call: Call, world: CloudState, port: ports.KnownPort, said: Sequence[Mapping[str, Any]]) -> None:
    """The address of a router in a network that it has joined, where one is said."""
    wanted = _addresses(call, world, world.thing(port.network), said)["address"]
    if wanted is None:
        return
    router, network = port.owner.address.name, port.network.name

    def edit(content: Content) -> Content:
        joined = entry_of(content, "routers", router).get("networks", [])
        moved = [{**one, "address": wanted} if one["network"] == network else one for one in joined]
        return change(content, "routers", router, {"networks": moved})

    call.edit("change port", edit)


def delete_port(call: Call) -> ApiReply:
    """Its server loses the interface, and floating IPs lead to it no more; a router's goes by the router's calls."""
    world = call.world
    port = _port(call, world, call.path["id"])
    call.act_in(port.owner.address.project)
    if port.owner.address.kind == "routers":
        raise conflict(f"Port {port.id} cannot be deleted directly via the port API: it has device owner {port.role}.")
    edits: list[Edit] = [
        partial(change, kind="floating_ips", key=one.address.name, fields=routers.NOWHERE)
        for one in world.things("floating_ips", [port.owner.address.project])
        if (led := ports.where_leads(world, one)) is not None and led.id == port.id
    ]
    if port.owner.address.kind == "instances":
        edits.append(with_interface(world, port, lambda _nic: []))
    if port.own is not None:
        name = port.own.address.name
        edits.append(lambda content: remove(content, "ports", name))
    call.edit("delete port", all_of(*edits))
    return ApiReply(204)


def with_interface(world: CloudState, port: ports.KnownPort, new: Any) -> Edit:
    """The interface of the server becomes these."""
    at = next(n for n, one in enumerate(ports.of_server(world, port.owner)) if one.id == port.id)
    key = port.owner.address.name

    def edit(content: Content) -> Content:
        nics = [*entry_of(content, "instances", key)["networks"]]
        nics[at : at + 1] = new(nics[at])
        return change(content, "instances", key, {"networks": nics})

    return edit
