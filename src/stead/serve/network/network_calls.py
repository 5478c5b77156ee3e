"""Calls for networks and subnets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.edits import all_of, remove
from stead.serve.faults import bad, conflict, forbidden, not_found
from stead.serve.keys import new_key
from stead.serve.network import networks, ports
from stead.serve.network.answers import answered, bodies, changing, common, in_own, made, told
from stead.serve.network.subnet_pools import OF_POOL, find_pool
from stead.serve.routes import ApiReply, Call, true
from stead.serve.world import CloudState, KnownResource


def list_networks(call: Call) -> ApiReply:
    world = call.world
    return answered(
        call, "networks", [networks.network_data(call, world, one) for one in networks.visible(call, world)]
    )


def show_network(call: Call) -> ApiReply:
    world = call.world
    thing = next((one for one in networks.visible(call, world) if one.id == call.path["id"]), None)
    if thing is None:
        raise not_found("Network", call.path["id"])
    return ApiReply(body={"network": networks.network_data(call, world, thing)})


def network_fields(said: Mapping[str, Any]) -> dict[str, Any]:
    if true(said.get("router:external")) or true(said.get("shared")) or said.get("provider:network_type"):
        raise forbidden("External, shared and provider networks are the site's: write them in its files.")
    fields = common(said)
    if said.get("mtu"):
        fields["mtu"] = said["mtu"]
    if said.get("port_security_enabled") is not None:
        fields["port_security"] = true(said["port_security_enabled"])
    return fields


def create_network(call: Call) -> ApiReply:
    things = made(call, "networks", "network", "networks", network_fields)
    return told(call, "network", "networks", [networks.network_data(call, call.world, one) for one in things])


def change_network(call: Call) -> ApiReply:
    _, thing = call.own("networks", "Network")
    after = changing("networks", "network", thing, call, network_fields(call.body["network"]))
    return ApiReply(body={"network": networks.network_data(call, call.world, after)})


def delete_network(call: Call) -> ApiReply:
    world, thing = call.own("networks", "Network")
    if world.users_of(thing.address):
        text = f"Unable to complete operation on network {thing.id}."
        raise conflict(f"{text} There are one or more ports still in use on the network.")
    edits = [networks.delete_subnet(thing.address.name, key) for key in thing.model.subnets]
    call.edit("delete network", all_of(*edits, lambda content: remove(content, "networks", thing.address.name)))
    return ApiReply(204)


def list_subnets(call: Call) -> ApiReply:
    world = call.world
    found = [
        networks.subnet_data(world, one)
        for network in networks.visible(call, world)
        for one in networks.subnets_of(world, network)
    ]
    return answered(call, "subnets", found)


def show_subnet(call: Call) -> ApiReply:
    world = call.world
    return ApiReply(body={"subnet": networks.subnet_data(world, networks.find_subnet(call, world, call.path["id"]))})


def create_subnet(call: Call) -> ApiReply:
    world = call.world
    said, _ = bodies(call, "subnet", "subnets")
    edits, places = [], []
    for one in said:
        if not (one.get("cidr") or one.get("subnetpool_id")):
            raise bad("A subnet needs a cidr or a subnetpool_id. There is no default pool.")
        network = call.own_named("networks", one["network_id"], "Network")
        if one.get("project_id") or one.get("tenant_id"):
            in_own(call, one)  # where its network is, or nowhere
        key = new_key("subnets")
        edits.append(networks.write_subnet(network.address.name, key, _with_pool(call, network, one), new=True))
        places.append((network, key))
    world = call.edit("create subnet", all_of(*edits))
    found = []
    for network, key in places:
        after = world.thing(network.address)
        found += [networks.subnet_data(world, one) for one in networks.subnets_of(world, after) if one.key == key]
    return told(call, "subnet", "subnets", found)


def _with_pool(call: Call, network: KnownResource, said: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the key of its pool, which is the project's as the network is."""
    if not said.get("subnetpool_id"):
        return said
    pool = find_pool(call, call.world, said["subnetpool_id"])
    if pool.project != network.address.project:
        raise not_found("Subnet pool", said["subnetpool_id"])
    return {**said, OF_POOL: pool.key}


def own_subnet(call: Call) -> tuple[CloudState, networks.SubnetResource]:
    world = call.world
    one = networks.find_subnet(call, world, call.path["id"])
    if one.network.address.project != call.caller.project and not call.caller.admin:
        raise not_found("Subnet", call.path["id"])
    call.act_in(one.network.address.project)
    return world, one


def change_subnet(call: Call) -> ApiReply:
    _, one = own_subnet(call)
    said = call.body["subnet"]
    world = call.edit("change subnet", networks.write_subnet(one.network.address.name, one.key, said, new=False))
    after = networks.find_subnet(call, world, one.id)
    return ApiReply(body={"subnet": networks.subnet_data(world, after)})


def delete_subnet(call: Call) -> ApiReply:
    world, one = own_subnet(call)
    every = [*ports.all_ports(world, None)]
    if used := networks.users_of_subnet(one, every):
        raise conflict(f"Unable to complete operation on subnet {one.id}: ports {', '.join(used[:3])} are in use.")
    named = [port.own for port in every if port.own is not None and one.key in (port.own.model.subnets or ())]
    edits = [networks.leave_subnet(one, port) for port in named if port.model.network == one.network.address]
    call.edit("delete subnet", all_of(*edits, networks.delete_subnet(one.network.address.name, one.key)))
    return ApiReply(204)
