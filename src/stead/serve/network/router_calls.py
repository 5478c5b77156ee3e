"""Calls for routers and floating IPs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from stead.serve.edits import remove
from stead.serve.faults import bad, conflict
from stead.serve.network import ports, routers
from stead.serve.network.answers import answered, changing, common, made, own_projects, seen, told
from stead.serve.routes import ApiReply, Call


def list_routers(call: Call) -> ApiReply:
    world = call.world
    return answered(
        call, "routers", [routers.router_data(world, one) for one in world.things("routers", own_projects(call))]
    )


def show_router(call: Call) -> ApiReply:
    return ApiReply(body={"router": routers.router_data(*seen(call, "routers", "Router"))})


def router_fields(call: Call) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    return lambda said: {**common({**said, "admin_state_up": True}), **routers.router_fields(call, call.world, said)}


def create_router(call: Call) -> ApiReply:
    things = made(call, "routers", "router", "routers", router_fields(call))
    return told(call, "router", "routers", [routers.router_data(call.world, one) for one in things])


def change_router(call: Call) -> ApiReply:
    _, thing = call.own("routers", "Router")
    after = changing("routers", "router", thing, call, router_fields(call)(call.body["router"]))
    return ApiReply(body={"router": routers.router_data(call.world, after)})


def delete_router(call: Call) -> ApiReply:
    _, thing = call.own("routers", "Router")
    if thing.model.networks:
        raise conflict(f"Router {thing.id} still has ports.")
    call.edit("delete router", lambda content: remove(content, "routers", thing.address.name))
    return ApiReply(204)


def add_interface(call: Call) -> ApiReply:
    world, thing = call.own("routers", "Router")
    edit, subnet = routers.join(call, world, thing, call.body)
    world = call.edit("join a network", edit)
    after = world.thing(thing.address)
    port = next(one for one in ports.of_router(world, after) if any(each == subnet for each, _ in one.fixed))
    return ApiReply(body=routers.interface_data(world, after, port, subnet))


def remove_interface(call: Call) -> ApiReply:
    world, thing = call.own("routers", "Router")
    edit, port = routers.leave(world, thing, call.body)
    found = routers.interface_data(world, thing, port, port.fixed[0][0] if port.fixed else "")
    call.edit("leave a network", edit)
    return ApiReply(body=found)


def list_floating(call: Call) -> ApiReply:
    world = call.world
    found = [routers.floating_data(world, one) for one in world.things("floating_ips", own_projects(call))]
    return answered(call, "floatingips", found)


def show_floating(call: Call) -> ApiReply:
    return ApiReply(body={"floatingip": routers.floating_data(*seen(call, "floating_ips", "Floating IP"))})


def create_floating(call: Call) -> ApiReply:
    world = call.world

    def fields(said: Mapping[str, Any]) -> dict[str, Any]:
        network = world.find("networks", said["floating_network_id"], call.project, what="Network", shared=True)
        if not network.model.external:
            raise bad(f"Network {network.id} is not a valid external network")
        found = {"network": network.address.name, "address": said.get("floating_ip_address") or None, **common(said)}
        return {**found, **routers.leads_to(call, world, network.address, said.get("port_id"))}

    things = made(call, "floating_ips", "floatingip", "floatingips", fields)
    return told(call, "floatingip", "floatingips", [routers.floating_data(call.world, one) for one in things])


def change_floating(call: Call) -> ApiReply:
    world, thing = call.own("floating_ips", "Floating IP")
    said = call.body["floatingip"]
    external = thing.model.network
    fields = common(said) | (routers.leads_to(call, world, external, said["port_id"]) if "port_id" in said else {})
    after = changing("floating_ips", "floating IP", thing, call, fields)
    return ApiReply(body={"floatingip": routers.floating_data(call.world, after)})


def delete_floating(call: Call) -> ApiReply:
    _, thing = call.own("floating_ips", "Floating IP")
    call.edit("delete floating IP", lambda content: remove(content, "floating_ips", thing.address.name))
    return ApiReply(204)
