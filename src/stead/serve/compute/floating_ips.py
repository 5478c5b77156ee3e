"""Nova's own calls for floating IPs, as they were until microversion 2.36: the network service's, in other words.

Its actions choose the port: a server has the address, and clients do not ask behind which of its ports.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from stead.serve.compute.servers import V
from stead.serve.faults import bad, conflict, not_found
from stead.serve.network import ports, router_calls
from stead.serve.network.answers import seen
from stead.serve.network.ports import KnownPort
from stead.serve.routes import MAYBE_TEXT, AccessPolicy, ApiReply, ApiRoute, Call, record
from stead.serve.world import CloudState, KnownResource


def _networks(world: CloudState, project: str) -> list[KnownResource]:
    return [one for one in world.things("networks", ["", project]) if one.model.external]


def _data(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    port = ports.where_leads(world, thing)
    return {
        "id": thing.id,
        "ip": thing.leases.get("address", ""),
        "pool": world.thing(thing.model.network).name,
        "fixed_ip": _inside(port) if port is not None else None,
        "instance_id": port.owner.id if port is not None and port.owner.address.kind == "instances" else None,
    }


def _inside(port: KnownPort) -> str | None:
    return next((address for _, address in port.fixed if ":" not in address), None)


def list_pools(call: Call) -> ApiReply:
    names = dict.fromkeys(one.name for one in _networks(call.world, call.project))
    return ApiReply(body={"floating_ip_pools": [{"name": name} for name in names]})


def list_floating(call: Call) -> ApiReply:
    world = call.world
    return ApiReply(body={"floating_ips": [_data(world, one) for one in world.things("floating_ips", [call.project])]})


def show_floating(call: Call) -> ApiReply:
    return ApiReply(body={"floating_ip": _data(*seen(call, "floating_ips", "Floating IP"))})


def create_floating(call: Call) -> ApiReply:
    asked, networks = (call.body or {}).get("pool"), _networks(call.world, call.project)
    network = next((one for one in networks if asked in (None, one.name, one.id)), None)
    if network is None:
        raise not_found("Floating IP pool", asked or "")
    call.body = {"floatingip": {"floating_network_id": network.id}}
    made = router_calls.create_floating(call).body["floatingip"]
    world = call.world
    thing = world.find("floating_ips", made["id"], call.project, what="Floating IP")
    return ApiReply(body={"floating_ip": _data(world, thing)})


def delete_floating(call: Call) -> ApiReply:
    router_calls.delete_floating(call)
    return ApiReply(202)


def _named(world: CloudState, project: str, said: Any) -> KnownResource:
    address = said.get("address") if isinstance(said, Mapping) else None
    if not isinstance(address, str):
        raise bad("A floating IP is named by its address.")
    for one in world.things("floating_ips", [project]):
        if address and one.leases.get("address") == address:
            return one
    raise not_found("Floating IP", address)


def _free(world: CloudState, found: Iterable[KnownPort], asked: str | None) -> KnownPort:
    """The first without a floating IP, or that of the address."""
    inside = [one for one in found if _inside(one) is not None and asked in (None, _inside(one))]
    if not inside:
        raise bad(f"Specified fixed address {asked or ''} is not one of the instance.".replace("  ", " "))
    taken = ports.floating_of(world)
    for one in inside:
        if one.id not in taken:
            return one
    raise bad("Unable to associate the floating IP: a floating IP leads to the instance already.")


def _lead(call: Call, floating: KnownResource, port: str | None) -> ApiReply:
    call.path, call.body = {**call.path, "id": floating.id}, {"floatingip": {"port_id": port}}
    router_calls.change_floating(call)
    return ApiReply(202)


def add(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    """One that leads elsewhere is taken from there, as in Nova."""
    said = call.body["addFloatingIp"]
    floating, asked = _named(world, thing.address.project, said), said.get("fixed_address")
    return _lead(call, floating, _free(world, ports.of_server(world, thing), asked).id)


def take(call: Call, world: CloudState, thing: KnownResource) -> ApiReply:
    floating = _named(world, thing.address.project, call.body["removeFloatingIp"])
    port = ports.where_leads(world, floating)
    if port is None or port.owner.address != thing.address:
        raise conflict(f"Floating IP {_data(world, floating)['ip']} is not associated with instance {thing.id}.")
    return _lead(call, floating, None)


ACTIONS: Mapping[str, Callable[[Call, CloudState, KnownResource], ApiReply]] = {
    "addFloatingIp": add,
    "removeFloatingIp": take,
}
F = f"{V}/os-floating-ips"
_POOL = {"anyOf": [record(pool=MAYBE_TEXT), {"type": "null"}]}
ROUTES = (
    ApiRoute("GET", f"{V}/os-floating-ip-pools", AccessPolicy.READER, list_pools),
    ApiRoute("GET", F, AccessPolicy.READER, list_floating),
    ApiRoute("POST", F, AccessPolicy.MEMBER, create_floating, _POOL),
    ApiRoute("GET", f"{F}/{{id}}", AccessPolicy.READER, show_floating),
    ApiRoute("DELETE", f"{F}/{{id}}", AccessPolicy.MEMBER, delete_floating),
)
