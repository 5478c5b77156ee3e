"""What outputs of a template may ask of resources, under the names that expressions use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from typing import Any

from stead.core.address import Address
from stead.core.recorded import UNTIL_THEN
from stead.heat.entries import DocumentEntry
from stead.serve.compute.servers import interfaces
from stead.serve.network.routers import floating_data, router_data
from stead.serve.world import CloudState, KnownResource


def facts(world: CloudState, project: str, entries: Iterable[DocumentEntry]) -> dict[str, dict[str, Any]]:
    """By kind and key, as expressions name them."""
    found: dict[str, dict[str, Any]] = {}
    for entry in entries:
        address = Address(project, entry.kind, entry.key)
        if address in world.desired.by_address:
            found.setdefault(entry.kind, {})[entry.key] = facts_of(world, world.thing(address))
    return found


def facts_of(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    found = {"name": thing.name, "uuid": thing.id}
    more = _FACTS.get(thing.address.kind)
    return {**found, **more(world, thing)} if more is not None else found


def _instance(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    networks = {}
    for seat in interfaces(world, thing):
        if seat.mac in thing.leases:
            own = [*seat.addresses(thing.leases)]
            networks[seat.key] = {"address": own[0] if own else "", "addresses": own, "mac": thing.leases[seat.mac]}
    every = [one for network in networks.values() for one in network["addresses"]]
    return {"address": _first(every), "addresses": every, "networks": networks}


def _leased(_world: CloudState, thing: KnownResource) -> dict[str, Any]:
    known = sorted(thing.leases.items())
    every = [one for key, one in known if _is_address(one) and not key.endswith(UNTIL_THEN)]
    return {"address": _first(every), "addresses": every, "mac": thing.leases.get("mac", "")}


def _floating_ip(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    return {**_leased(world, thing), "inside": floating_data(world, thing)["fixed_ip_address"] or ""}


def _router(world: CloudState, thing: KnownResource) -> dict[str, Any]:
    outside = router_data(world, thing)["external_gateway_info"] or {}
    every = [one["ip_address"] for one in outside.get("external_fixed_ips", ())]
    return {"address": _first(every), "addresses": every}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _network(_world: CloudState, thing: KnownResource) -> dict[str, Any]:
    subnets = thing.model.subnets.items()
    said = {name: {"cidr": str(one.cidr), "gateway": str(one.gateway or "")} for name, one in subnets}
    return {"subnets": said, "mtu": thing.model.mtu or 0}


def _first(addresses: list[str]) -> str:
    """IPv4 first, since most of what reads a lone address still expects it."""
    return min(addresses, key=lambda text: ":" in text, default="")


_FACTS: Mapping[str, Any] = {
    "instances": _instance,
    "ports": _leased,
    "floating_ips": _floating_ip,
    "routers": _router,
    "networks": _network,
}
