"""Calls for ports: those of their own are made here; the others follow from servers and routers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from stead.serve.edits import Content, Edit, all_of, change, entry_of, remove
from stead.serve.faults import bad, conflict, not_found
from stead.serve.network import ports, routers
from stead.serve.network.answers import answered, common, in_own, made, own_projects, told
from stead.serve.network.networks import find_subnet, subnets_of
from stead.serve.routes import ApiReply, Call, true
from stead.serve.world import CloudState, KnownResource


def list_ports(call: Call) -> ApiReply:
    world = call.world
    items = [ports.data(world, one) for one in ports.all_ports(world, own_projects(call))]
    wanted = [text.partition("=") for name, text in call.query if name == "fixed_ips"]
    for name, _, text in wanted:
        items = [one for one in items if any(str(each.get(name)) == text for each in one["fixed_ips"])]
    call.query = [pair for pair in call.query if pair[0] != "fixed_ips"]
    return answered(call, "ports", items)


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
        return {"network": network.address.name, **_fields(call, world, network, said)}

    things = made(call, "ports", "port", "ports", fields)
    world = call.world
    return told(call, "port", "ports", [ports.data(world, ports.unused(world, one)) for one in things])


def _network(call: Call, world: CloudState, id_: str) -> KnownResource:
    return world.find("networks", id_, call.project, what="Network", shared=True)


def _fields(call: Call, world: CloudState, network: KnownResource, said: Mapping[str, Any]) -> dict[str, Any]:
    """What the body says; None where it says that nothing is said."""
    found: dict[str, Any] = common({**said, "admin_state_up": True})
    if said.get("admin_state_up") is not None:
        found["enabled"] = None if true(said["admin_state_up"]) else False
    if "fixed_ips" in said:
        found["address"] = _addresses(call, world, network, said["fixed_ips"] or ())
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
    call: Call, world: CloudState, network: KnownResource, said: Sequence[Mapping[str, Any]]
) -> list[str] | None:
    """None where one of each subnet is chosen. That is what it means, too, to name all subnets and no address."""
    asked = [one["subnet_id"] for one in said if one.get("subnet_id")]
    for one in asked:
        if find_subnet(call, world, one).network.address != network.address:
            raise bad(f"Subnet {one} is of another network.")
    addresses = [str(one["ip_address"]) for one in said if one.get("ip_address")]
    if len(addresses) == len(said):
        return addresses or None
    if addresses or {*asked} != {one.id for one in subnets_of(world, network)}:
        raise bad("Each of fixed_ips needs an ip_address, unless they name all subnets of the network.")
    return None


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
    if set(said) - {"security_groups", "name", "description"}:
        raise bad("Of a port that came with its server or router, only the security groups can be changed.")
    if said.get("security_groups") is not None and port.owner.address.kind == "instances":
        wanted = _groups(call, world, said["security_groups"])
        call.edit("change port", with_interface(world, port, lambda nic: [{**nic, "security_groups": wanted}]))
    return show_port(call)


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
