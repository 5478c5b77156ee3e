"""Port forwardings of floating IPs: ports of one address that lead to several servers.

In the document they are a list of their floating IP. An id is made of floating IP, protocol and port outside.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stead.kinds.shared.forwards import Forward
from stead.serve.edits import Content, Edit, change, entry_of
from stead.serve.faults import bad, conflict, not_found
from stead.serve.network import ports
from stead.serve.network.answers import answered, seen
from stead.serve.routes import ApiReply, Call
from stead.serve.world import CloudState, KnownResource, made_of

Key = tuple[str, int]  # protocol, port outside


def list_forwardings(call: Call) -> ApiReply:
    world, thing = seen(call, "floating_ips", "Floating IP")
    return answered(call, "port_forwardings", data(world, thing))


def show_forwarding(call: Call) -> ApiReply:
    world, thing = seen(call, "floating_ips", "Floating IP")
    return ApiReply(body={"port_forwarding": _told(world, thing, _found(call, thing))})


def create_forwarding(call: Call) -> ApiReply:
    world, thing = call.own("floating_ips", "Floating IP")
    if ports.where_leads(world, thing) is not None:
        raise conflict(f"Floating IP {thing.id} leads to a port as a whole. Disassociate it first.")
    said = call.body["port_forwarding"]
    entry = _written(call, world, said)
    return _keep(call, thing, entry, None, 201)


def change_forwarding(call: Call) -> ApiReply:
    world, thing = call.own("floating_ips", "Floating IP")
    before = _found(call, thing)
    said = {**_told(world, thing, before), "internal_ip_address": None, **call.body["port_forwarding"]}
    entry = _written(call, world, said)
    return _keep(call, thing, entry, before.key, 200)


def delete_forwarding(call: Call) -> ApiReply:
    _, thing = call.own("floating_ips", "Floating IP")
    call.edit("delete port forwarding", _replacing(thing, _found(call, thing).key, ()))
    return ApiReply(204)


def data(world: CloudState, thing: KnownResource) -> list[dict[str, Any]]:
    return [_told(world, thing, one) for one in thing.model.forwards]


def _told(world: CloudState, thing: KnownResource, one: Forward) -> dict[str, Any]:
    port = _port_of(world, one)
    inside = next((address for _, address in port.fixed if ":" not in address), "") if port is not None else ""
    inner = one.to.port or one.port
    return {
        "id": _id(thing, one),
        "protocol": one.protocol,
        "external_port": one.port,
        "internal_port_id": port.id if port is not None else None,
        "internal_ip_address": inside,
        "internal_port": inner,
        "internal_socket": f"{inside}:{inner}",
        "description": "",
    }


def _port_of(world: CloudState, one: Forward) -> ports.KnownPort | None:
    """Of the server, in the network that it names, or the first."""
    found = ports.of_server(world, world.thing(one.to.instance))
    return next((port for port in found if one.to.network in (None, port.network)), None)


def _found(call: Call, thing: KnownResource) -> Forward:
    asked = call.path["forwarding"]
    known: Sequence[Forward] = thing.model.forwards
    found = next((one for one in known if _id(thing, one) == asked), None)
    if found is None:
        raise not_found("Port Forwarding", asked)
    return found


def _id(thing: KnownResource, one: Forward) -> str:
    return made_of(thing.id, "forwarding", f"{one.protocol}/{one.port}")


def _written(call: Call, world: CloudState, said: Mapping[str, Any]) -> dict[str, Any]:
    """As the document has it."""
    missing = [
        name for name in ("internal_port_id", "internal_port", "external_port", "protocol") if not said.get(name)
    ]
    if missing:
        raise bad(f"{', '.join(missing)}: say it.")
    port = next((one for one in ports.all_ports(world, [call.project]) if one.id == said["internal_port_id"]), None)
    if port is None or port.owner.address.kind != "instances":
        raise not_found("Port", str(said["internal_port_id"]))
    address = said.get("internal_ip_address")
    if address and address not in [one for _, one in port.fixed if ":" not in one]:
        raise bad(f"Port {port.id} does not have the IPv4 address {str(address)[:80]}.")
    to = {"instance": port.owner.address.name, "port": said["internal_port"], "network": port.network.name}
    return {"port": said["external_port"], "protocol": said["protocol"], "to": to}


def _replacing(thing: KnownResource, gone: Key | None, new: Sequence[Mapping[str, Any]]) -> Edit:
    """Others that were made meanwhile stay."""
    name = thing.address.name

    def edit(content: Content) -> Content:
        left = [one for one in entry_of(content, "floating_ips", name).get("forwards", ()) if _key(one) != gone]
        taken = {_key(one) for one in left} & {_key(one) for one in new}
        for protocol, port in taken:
            raise conflict(f"{protocol} port {port} of floating IP {thing.id} is forwarded already.")
        return change(content, "floating_ips", name, {"forwards": [*left, *new] or None})

    return edit


def _key(entry: Mapping[str, Any]) -> Key:
    return entry.get("protocol", "tcp"), entry["port"]


def _keep(call: Call, thing: KnownResource, entry: Mapping[str, Any], gone: Key | None, status: int) -> ApiReply:
    world = call.edit("forward a port", _replacing(thing, gone, [entry]))
    after = world.thing(thing.address)
    made = next(one for one in after.model.forwards if one.key == _key(entry))
    return ApiReply(status, {"port_forwarding": _told(world, after, made)})
