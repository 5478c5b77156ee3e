"""Volumes and interfaces of a server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.serve.attaching import attaching, detaching
from stead.serve.compute.creation import asked_networks, port_nic
from stead.serve.compute.events import asked
from stead.serve.compute.server_calls import one, own
from stead.serve.compute.servers import attachment
from stead.serve.edits import Edit, all_of, change
from stead.serve.faults import bad, conflict, not_found
from stead.serve.network import ports
from stead.serve.network.port_calls import with_interface
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, KnownResource


def list_attachments(call: Call) -> ApiReply:
    world, thing = one(call)
    return ApiReply(body={"volumeAttachments": [attachment(thing, world, each) for each in thing.model.volumes]})


def show_attachment(call: Call) -> ApiReply:
    world, thing = one(call)
    for each in thing.model.volumes:
        if world.id_of(each.volume) == call.path["volume"]:
            return ApiReply(body={"volumeAttachment": attachment(thing, world, each)})
    raise not_found("Volume attachment", call.path["volume"])


def attach(call: Call) -> ApiReply:
    world, thing = own(call)
    said = call.body["volumeAttachment"]
    volume = world.find("volumes", said["volumeId"], call.project, what="Volume")
    if not volume.model.shareable and any(one.kind == "instances" for one in world.users_of(volume.address)):
        raise bad(f"Invalid volume: volume {volume.id} is already attached to a server.")
    world = call.edit(
        f"attach volume {volume.name}",
        _noted(call, thing, "attach_volume", attaching(world, thing, volume, said.get("device") or "")),
    )
    after = world.thing(thing.address)
    found = next(each for each in after.model.volumes if each.volume == volume.address)
    return ApiReply(body={"volumeAttachment": attachment(after, world, found)})


def detach(call: Call) -> ApiReply:
    world, thing = own(call)
    volume = next((each for each in thing.model.volumes if world.id_of(each.volume) == call.path["volume"]), None)
    if volume is None:
        raise not_found("Volume attachment", call.path["volume"])
    call.edit("detach a volume", _noted(call, thing, "detach_volume", detaching(thing.address, volume.volume)))
    return ApiReply(202)


def _noted(call: Call, thing: KnownResource, action: str, edit: Edit) -> Edit:
    return all_of(edit, asked(call, thing.address.name, action))


def _interface(world: CloudState, port: ports.KnownPort) -> dict[str, Any]:
    return {
        "port_id": port.id,
        "net_id": world.id_of(port.network),
        "mac_addr": port.mac,
        "port_state": "ACTIVE" if port.mac else "DOWN",
        "fixed_ips": [{"subnet_id": subnet, "ip_address": address} for subnet, address in port.fixed],
    }


def list_interfaces(call: Call) -> ApiReply:
    world, thing = one(call)
    return ApiReply(body={"interfaceAttachments": [_interface(world, each) for each in ports.of_server(world, thing)]})


def _nic(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, Any]:
    """In the network that is named, or in the only one that the project has."""
    if not said.get("net_id"):
        named = asked_networks(call, world, {})
        if not named:
            raise bad("Either net_id or port_id must be specified: the project has no network of its own.")
        said = {**said, "net_id": named[0]["uuid"]}
    network = world.find("networks", said["net_id"], call.project, what="Network", shared=True)
    fixed = [each["ip_address"] for each in said.get("fixed_ips") or ()]
    return {"network": network.address.name, **({"address": fixed[0]} if fixed else {})}


def add_interface(call: Call) -> ApiReply:
    world, thing = own(call)
    said = call.body["interfaceAttachment"]
    key = thing.address.name
    nic = port_nic(call, world, said["port_id"]) if said.get("port_id") else _nic(call, world, said)

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("networks", [])
        return change(content, "instances", key, {"networks": [*before, nic]})

    world = call.edit("attach an interface", _noted(call, thing, "attach_interface", edit))
    last = list(ports.of_server(world, world.thing(thing.address)))[-1]
    return ApiReply(body={"interfaceAttachment": _interface(world, last)})


def remove_interface(call: Call) -> ApiReply:
    world, thing = own(call)
    port = next((each for each in ports.of_server(world, thing) if each.id == call.path["port"]), None)
    if port is None:
        raise not_found("Port", call.path["port"])
    if ports.floating_of(world).get(port.id):
        raise conflict("A floating IP leads to this port. Take it away first.")
    edit = with_interface(world, port, lambda _nic: [])
    call.edit("detach an interface", _noted(call, thing, "detach_interface", edit))
    return ApiReply(202)
