"""Where a floating IP leads, through which router, and what that router's host should have of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.effect import Action, Disruption, Effect
from stead.core.kind import Contribution, Member, PinnedAddress, World
from stead.core.named import NamedTuple
from stead.core.needs import Macs, Need
from stead.core.want import Body, Want
from stead.drivers.network import DEFAULT, DISTRIBUTED, mark, named, of
from stead.kinds.floating_ip import forwarded
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.shared import forwards, network_names, several, two_hosts
from stead.kinds.shared.interfaces import own_slots, users, with_port
from stead.kinds.shared.routing import ways
from stead.kinds.shared.subnets import AddressSlot, Net, address_slots, need, nets_of, network_block
from stead.language.desired import Block, Desired

# Connections through it are cut; new ones go the new way at once.
GUEST, GATEWAY = "on its instance's host", "at its router's gateway"
MOVED = Effect(Action.UPDATE, Disruption.NETWORK)


OUTER_MAC = "mac"  # lease of one that is translated on its guest's host


class Inside(NamedTuple):
    """What it leads to."""

    target: Address  # an instance or a load balancer
    network: Address
    lease: str  # of the target
    router: Address
    mac: str  # lease of the target's interface


def source(block: Block, desired: Desired) -> AddressSlot | None:
    """The subnet that the address comes from."""
    model: FloatingIp = block.model
    network = network_block(model.network, desired)
    if network is None:
        return None
    return _v4(address_slots(nets_of(network, desired), () if model.address is None else (model.address,)))


def _v4(slots: Iterable[AddressSlot]) -> AddressSlot | None:
    return next((slot for slot in slots if slot.net.version == 4), None)


def instance_of(model: FloatingIp, desired: Desired) -> Address | None:
    """The instance that it names, or that uses the port that it names."""
    if model.port is None:
        return model.instance
    user, _ = users(desired).get(model.port, (None, 0))
    return user.members[0] if user is not None and user.kind == "instances" else None


def inside(block: Block, desired: Desired) -> Inside | None:
    """The first interface with an IPv4 address and a router that leads from its subnet to the external network."""
    model: FloatingIp = block.model
    if model.load_balancer is not None:
        return _balancer(model, desired)
    target = instance_of(model, desired)
    instance = desired.get(target) if target is not None else None
    if instance is None or target is None:
        return None
    nics = instance.model.networks
    keys = network_names.keys([nic.network for nic in nics], instance.project)
    for nic, key in zip(nics, keys, strict=True):
        if model.port not in (None, nic.port):
            continue
        own = network_block(nic.network, desired) if model.inside in (None, nic.network) else None
        stand = _v4(own_slots(with_port(nic, desired), own, desired)) if own is not None else None
        router = _router(nic.network, stand.net, model.network, desired) if stand is not None else None
        if router is not None:
            return Inside(target, nic.network, f"nics.{key}.v4", router, f"nics.{key}.mac")
    return None


def _balancer(model: FloatingIp, desired: Desired) -> Inside | None:
    """The address that its clients know."""
    found = desired.get(model.load_balancer) if model.load_balancer is not None else None
    own = network_block(found.model.network, desired) if found is not None else None
    if found is None or own is None or model.load_balancer is None:
        return None
    stand = _v4(address_slots(nets_of(own, desired), several.as_tuple(found.model.address)))
    if stand is None:
        return None
    router = _router(found.model.network, stand.net, model.network, desired)
    return Inside(model.load_balancer, found.model.network, "v4", router, "mac") if router is not None else None


def way_out(block: Block, desired: Desired) -> Address | None:
    """The router that it leads through, or will lead through once an instance uses its port."""
    found = inside(block, desired)
    model: FloatingIp = block.model
    if model.forwards:
        return forwarded.router_of(block, desired)
    port = desired.get(model.port) if found is None and model.port is not None else None
    network = network_block(port.model.network, desired) if port is not None else None
    if port is None or network is None:
        return found.router if found is not None else None
    slot = _v4(own_slots(port.model, network, desired))
    return _router(port.model.network, slot.net, model.network, desired) if slot is not None else None


def led(block: Block, desired: Desired) -> Inside | None:
    """What it leads to now: through a router that is disabled, nowhere."""
    found = inside(block, desired)
    router = desired.get(found.router) if found is not None else None
    return found if router is not None and router.model.enabled else None


def leading(block: Block, desired: Desired) -> Address | None:
    """The router that it is on now."""
    found = led(block, desired)
    router = found.router if found is not None else forwarded.router_of(block, desired)
    known = desired.get(router) if router is not None else None
    return router if known is not None and known.model.enabled else None


def _router(network: Address, net: Net, external: Address, desired: Desired) -> Address | None:
    """The gateway of the subnet before all others: answers leave by it."""
    found = [way for way in ways(desired).get(network, ()) if way.external == external and way.reaches(net)]
    return min(found, key=lambda way: not way.is_gateway(net)).router if found else None


def driver_of(block: Block, desired: Desired) -> str:
    """That of its network, which its router has too."""
    network = network_block(block.model.network, desired)
    return DEFAULT if network is None else str(network.model.driver)


def implicit_refs(block: Block, desired: Desired) -> Iterator[Address]:
    """It is put on its router's way out, which the spec does not name; and leads to whoever uses its port."""
    found = inside(block, desired)
    if found is not None:
        yield from (found.router, found.target)
    if (router := forwarded.router_of(block, desired)) is not None:
        yield router


def needs(block: Block, desired: Desired) -> Sequence[Need]:
    model: FloatingIp = block.model
    stand = source(block, desired)
    address = [need("address", model.network, stand)] if stand is not None else []
    return [*address, *([Need(OUTER_MAC, "mac", Macs())] if _distributes(block, desired) else ())]


def _distributes(block: Block, desired: Desired) -> bool:
    return of(driver_of(block, desired), DISTRIBUTED).can


def contribute(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    found, router = led(block, world.desired), leading(block, world.desired)
    for member in members:
        fact = {"address": member.leases["address"], "name": str(member.address)}
        if found is not None:
            yield Contribution(found.target, "floating", fact)
        if router is not None:
            yield Contribution(router, "floating", fact)


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    """On the host of its router, beside it and not in it: a floating IP comes and goes and the router stays."""
    model: FloatingIp = block.model
    found, leads = led(block, world.desired), leading(block, world.desired)
    hosts: Sequence[str] = ("",)
    driver = driver_of(block, world.desired)
    fields: dict[str, Any] = {"network": str(model.network), **mark(driver)}
    if found is not None:
        fields["inside"] = world.member(found.target).leases[found.lease]
        fields["load_balancer" if model.load_balancer else "instance"] = str(found.target)
        port = _port_on_its_host(block, found, world)
        if _distributes(block, world.desired):
            fields["translated"] = GUEST if port else GATEWAY
    if leads is not None:
        router = world.member(leads)
        hosts = two_hosts.hosts_of(router) or ("",)
        fields |= forwards.wanted(model.forwards, forwarded.leads_of(leads, world.desired), world)
        fields["router"] = {"address": str(leads), "uuid": router.leases["uuid"]}
    body = Body.of(fields)
    for member in members:
        own: dict[str, Any] = {
            "address": member.leases["address"],
            "name": str(member.address),
            "uuid": member.leases["uuid"],
        }
        if found is not None and port:
            own["distributed"] = {**port, "mac": member.leases[OUTER_MAC]}
        where = named(driver).on_hosts(hosts, world.hosts) if leads is not None else hosts
        yield dict.fromkeys(where, Want.of(body, own))


def _port_on_its_host(block: Block, found: Inside, world: World) -> dict[str, str]:
    """The interface that it leads to, where the driver translates on its host, and the host has the network outside."""
    guest, out = world.member(found.target), network_block(block.model.network, world.desired)
    host = world.hosts.get(guest.host)
    if not _distributes(block, world.desired) or out is None or host is None:
        return {}
    if out.model.physical not in host.physical_networks:
        return {}
    return {"network_uuid": world.member(found.network).leases["uuid"], "port": guest.leases[found.mac]}


def metered(_fields: Mapping[str, Any], _refers: Sequence[Address]) -> dict[str, int]:
    return {"floating_ips": 1}


OF_ITS_TARGET = frozenset({"distributed", "forwards", "inside", "instance", "load_balancer", "router", "translated"})


def detached(have: Mapping[str, Any], gone: frozenset[str]) -> tuple[Mapping[str, Any], Effect] | None:
    """Led nowhere meanwhile."""
    if not {have.get("instance"), have.get("load_balancer"), have.get("router", {}).get("uuid")} & gone:
        return None
    return {name: value for name, value in have.items() if name not in OF_ITS_TARGET}, MOVED


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    found = inside(block, world.desired)
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "address": member.leases["address"],
        "instance": str(found.target) if found is not None and not block.model.load_balancer else "",
        "inside": world.member(found.target).leases[found.lease] if found is not None else "",
    }


def pins(block: Block) -> Iterator[PinnedAddress]:
    model: FloatingIp = block.model
    if model.address is not None:
        yield PinnedAddress(model.network, model.address, "address")
