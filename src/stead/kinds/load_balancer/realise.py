"""What the hosts of a load balancer should have, and what its network and groups are told of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address, parse
from stead.core.kind import Contribution, HostNeeds, Member, World
from stead.core.needs import STANDBY
from stead.core.want import Body, Want
from stead.drivers.network import mark
from stead.kinds.load_balancer.backends import meant
from stead.kinds.load_balancer.model import Backend, HealthCheck, Listener, LoadBalancer
from stead.kinds.load_balancer.needs import HOSTS, MAC, lease, own, slots
from stead.kinds.shared import firewall, two_hosts, underlay
from stead.kinds.shared.subnets import AddressSlot, network_block
from stead.language.desired import Block


def contribute(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    model: LoadBalancer = block.model
    network = network_block(model.network, world.desired)
    found = slots(block, world.desired)
    groups = (firewall.default_group(block.project),) if model.security_groups is None else model.security_groups
    if network is None or not model.enabled:
        return
    for member in members:
        spoken = [address for host in two_hosts.hosts_of(member) for address in _spoken_from(member, host, found)]
        yield from (_interface(member, host, found, model.network) for host in two_hosts.hosts_of(member))
        fact = {"addresses": [*_addresses(member, found), *spoken], "driver": network.model.driver, "hosts": ()}
        yield from [Contribution(group, firewall.MEMBER, fact) for group in groups]


def _interface(member: Member, host: str, found: Sequence[AddressSlot], network: Address) -> Contribution:
    """Who has the address of two is asked for: nobody but the one that answers may say it."""
    known = _spoken_from(member, host, found) if two_hosts.is_pair(member) else _addresses(member, found)
    fact = {"addresses": known, "host": host, "mac": two_hosts.mac_on(member.leases[MAC], host, member), "siblings": ()}
    return Contribution(network, "interface", fact)


def _addresses(member: Member, found: Sequence[AddressSlot]) -> list[str]:
    return [member.leases[lease(slot)] for slot in found]


def _spoken_from(member: Member, host: str, found: Sequence[AddressSlot]) -> list[str]:
    """Of one on two hosts. The only one that is left has both: what backends and clients know goes on."""
    hosts = two_hosts.hosts_of(member) if two_hosts.is_pair(member) else ()
    if host not in hosts:
        return []
    numbers = range(len(HOSTS)) if len(hosts) == 1 else (hosts.index(host),)
    keys = [own(slot, at) for at in numbers for slot in found]
    return [member.leases[key] for key in keys if key in member.leases]


def realise(block: Block, members: Sequence[Member], world: World) -> Iterator[Mapping[str, Want]]:
    model: LoadBalancer = block.model
    network, found = network_block(model.network, world.desired), slots(block, world.desired)
    if network is None:
        return
    for member in members:
        gateways = [slot.net.write(slot.net.gateway) for slot in found if slot.net.gateway is not None]
        body = Body.of(
            {
                **mark(network.model.driver),
                "gateways": gateways,
                "listeners": {
                    name: _listener(listener, block, member, world) for name, listener in model.listeners.items()
                },
                "network": str(model.network),
            }
        )
        hosts = two_hosts.hosts_of(member) if model.enabled else ()
        mtu = underlay.mtu(network.model, world)
        yield {host: Want.of(body, _own(member, host, found, (world, model.network, mtu))) for host in hosts or ("",)}


def _own(member: Member, host: str, found: Sequence[AddressSlot], at: tuple[World, Address, int]) -> dict[str, Any]:
    world, network, mtu = at
    paired = two_hosts.is_pair(member)
    leased, peer = member.leases[MAC], two_hosts.peer_of(host, member) if paired else ""
    sized = {address: slot.net.sized(address) for slot in found for address in _all_of(member, slot)}
    interface = {
        "addresses": [sized[one] for one in _addresses(member, found)],
        "mac": two_hosts.mac_on(leased, host, member),
        "mtu": mtu,
        "network_uuid": world.member(network).leases["uuid"],
        "own": [sized[one] for one in _spoken_from(member, host, found)],
        **({"peer_mac": two_hosts.mac_on(leased, peer, member)} if peer else {}),
    }
    return {
        "interfaces": {"inside": interface},
        "name": str(member.address),
        "uuid": member.leases["uuid"],
        **({"ha": two_hosts.link(member, world)} if paired else {}),
    }


def _all_of(member: Member, slot: AddressSlot) -> list[str]:
    keys = (lease(slot), *(own(slot, at) for at in range(len(HOSTS))))
    return [member.leases[key] for key in keys if key in member.leases]


def _listener(one: Listener, block: Block, member: Member, world: World) -> dict[str, Any]:
    found: dict[str, Any] = {
        "balance": one.balance,
        "check": _check(one.health_check),
        "max_connections": one.max_connections,
        "members": dict(entry for backend in one.members for entry in _members(backend, one.port, block, world)),
        "port": one.port,
        "protocol": one.protocol,
        "proxy_protocol": one.proxy_protocol,
        "timeouts": {name: getattr(one.timeouts, name) for name in ("client", "connect", "server")},
    }
    if one.certificate is not None:
        found["certificate"] = world.render(one.certificate, member)
    if one.sticky is not None:
        found["sticky"] = {name: getattr(one.sticky, name) for name in ("by", "cookie", "lasts")}
    return found


def _check(check: HealthCheck) -> dict[str, Any]:
    names = ("expect", "fall", "host", "interval", "method", "path", "port", "rise", "timeout")
    return {name: getattr(check, name) for name in names}


def _members(backend: Backend, port: int, block: Block, world: World) -> Iterator[tuple[str, dict[str, Any]]]:
    """By a name that a person knows again."""
    asked = backend.port or port
    for instance, lease_ in meant(backend, block, world.desired):
        if lease_ and lease_ in (leases := world.member(instance).leases):
            where = "" if instance.project == block.project else f"{instance.project or 'site'}."
            server = _server(leases[lease_], asked, backend.weight) | {"instance": str(instance)}
            yield f"{where}{instance.label}:{asked}", server
    if backend.address is not None:
        yield f"{backend.address}:{asked}", _server(backend.address, asked, backend.weight)


def _server(address: str, port: int, weight: int) -> dict[str, Any]:
    return {"address": address, "port": port, "weight": weight}


def facts(block: Block, member: Member, world: World) -> dict[str, Any]:
    addresses = _addresses(member, slots(block, world.desired))
    return {
        "name": member.address.label,
        "uuid": member.leases["uuid"],
        "host": member.host,
        "standby": member.leases.get(STANDBY, ""),
        "address": addresses[0] if addresses else "",
        "addresses": addresses,
    }


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    return HostNeeds(beside=(str(fields["network"]),))


def leaves(have: Mapping[str, Any], want: Mapping[str, Any]) -> Iterator[Address]:
    """Instances that are no members any more: they get nothing new before they go. Of one that goes itself, nobody
    asks for anything."""
    for text in sorted(_instances(have) - _instances(want)) if want else ():
        if (found := parse(text)) is not None:
            yield found


def _instances(fields: Mapping[str, Any]) -> set[str]:
    members = (one for listener in fields["listeners"].values() for one in listener["members"].values())
    return {one["instance"] for one in members if "instance" in one}
