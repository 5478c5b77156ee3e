"""Calls for ports: they are seen, and follow from servers and routers."""

from __future__ import annotations

from stead.serve.edits import Content, change
from stead.serve.faults import bad, not_found
from stead.serve.network import ports
from stead.serve.network.answers import answered, own_projects
from stead.serve.routes import ApiReply, Call


def list_ports(call: Call) -> ApiReply:
    world = call.world
    items = [ports.data(world, one) for one in ports.all_ports(world, own_projects(call))]
    wanted = [text.partition("=") for name, text in call.query if name == "fixed_ips"]
    for name, _, text in wanted:
        items = [one for one in items if any(str(each.get(name)) == text for each in one["fixed_ips"])]
    call.query = [pair for pair in call.query if pair[0] != "fixed_ips"]
    return answered(call, "ports", items)


def show_port(call: Call) -> ApiReply:
    world = call.world
    for one in ports.all_ports(world, own_projects(call)):
        if one.id == call.path["id"]:
            return ApiReply(body={"port": ports.data(world, one)})
    raise not_found("Port", call.path["id"])


def change_port(call: Call) -> ApiReply:
    """Its security groups: of an interface of a server."""
    world, said = call.world, call.body["port"]
    port = next((one for one in ports.all_ports(world, [call.project]) if one.id == call.path["id"]), None)
    if port is None:
        raise not_found("Port", call.path["id"])
    if set(said) - {"security_groups", "name", "description"}:
        raise bad("Of a port, only its security groups can be changed here.")
    if said.get("security_groups") is not None and port.owner.address.kind == "instances":
        wanted = [
            world.find("security_groups", one, call.project, what="Security group").address.name
            for one in said["security_groups"]
        ]
        at = next(n for n, one in enumerate(ports.of_server(world, port.owner)) if one.id == port.id)
        key = port.owner.address.name

        def edit(content: Content) -> Content:
            nics = [*content["instances"][key]["networks"]]
            nics[at] = {**nics[at], "security_groups": wanted}
            return change(content, "instances", key, {"networks": nics})

        call.edit("change port", edit)
    return show_port(call)
