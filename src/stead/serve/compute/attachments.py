"""Volumes and interfaces of a server."""

from __future__ import annotations

from typing import Any

from stead.core.address import Address
from stead.serve.compute.server_calls import one, own
from stead.serve.compute.servers import attachment
from stead.serve.edits import change
from stead.serve.faults import conflict, not_found
from stead.serve.network import ports
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, KnownResource

DEVICES = [f"vd{letter}" for letter in "bcdefghijklmnopqrstuv"]


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
    if not volume.model.shareable:
        world.must_be_unused(volume, "Volume", but=snapshots_of(world, volume))
    key, name = thing.address.name, volume.address.name
    asked = (said.get("device") or "").removeprefix("/dev/")

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("volumes", [])
        taken = {each.get("device") for each in before}
        device = asked if asked and asked not in taken else next(each for each in DEVICES if each not in taken)
        return change(content, "instances", key, {"volumes": [*before, {"volume": name, "device": device}]})

    world = call.edit(f"attach volume {volume.name}", edit)
    after = world.thing(thing.address)
    found = next(each for each in after.model.volumes if each.volume == volume.address)
    return ApiReply(body={"volumeAttachment": attachment(after, world, found)})


def snapshots_of(world: CloudState, volume: KnownResource) -> list[Address]:
    return [each for each in world.users_of(volume.address) if each.kind == "snapshots"]


def detach(call: Call) -> ApiReply:
    world, thing = own(call)
    volume = next((each for each in thing.model.volumes if world.id_of(each.volume) == call.path["volume"]), None)
    if volume is None:
        raise not_found("Volume attachment", call.path["volume"])
    key = thing.address.name

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("volumes", [])
        return change(
            content, "instances", key, {"volumes": [each for each in before if each["volume"] != volume.volume.name]}
        )

    call.edit("detach a volume", edit)
    return ApiReply(202)


def _interface(world: CloudState, port: ports.Port) -> dict[str, Any]:
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


def add_interface(call: Call) -> ApiReply:
    world, thing = own(call)
    said = call.body["interfaceAttachment"]
    network = world.find("networks", said.get("net_id") or "", call.project, what="Network", shared=True)
    key, fixed = thing.address.name, [each["ip_address"] for each in said.get("fixed_ips") or ()]
    nic = {"network": network.address.name, **({"address": fixed[0]} if fixed else {})}

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("networks", [])
        return change(content, "instances", key, {"networks": [*before, nic]})

    world = call.edit("attach an interface", edit)
    last = list(ports.of_server(world, world.thing(thing.address)))[-1]
    return ApiReply(body={"interfaceAttachment": _interface(world, last)})


def remove_interface(call: Call) -> ApiReply:
    world, thing = own(call)
    at = next((n for n, each in enumerate(ports.of_server(world, thing)) if each.id == call.path["port"]), None)
    if at is None:
        raise not_found("Port", call.path["port"])
    if ports.floating_of(world).get(call.path["port"]):
        raise conflict("A floating IP leads to this port. Take it away first.")
    key = thing.address.name

    def edit(content: Any) -> Any:
        before = content["instances"][key].get("networks", [])
        return change(content, "instances", key, {"networks": [*before[:at], *before[at + 1 :]]})

    call.edit("detach an interface", edit)
    return ApiReply(202)
