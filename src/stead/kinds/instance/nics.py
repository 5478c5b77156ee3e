"""The interfaces of an instance: which subnets each is in, what it asks to be chosen, and what it was given.

An interface is known by the name of its network, so that one more network changes nothing of the others.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from stead.core.address import Address
from stead.core.kind import Contribution, Member, PinnedAddress, World
from stead.core.named import NamedTuple
from stead.core.needs import Borrowed, Macs, Need, Uuids
from stead.drivers.network import mark
from stead.kinds.instance import dns_names
from stead.kinds.instance.model import Instance, Nic
from stead.kinds.shared import firewall, network_names, subnets, underlay
from stead.kinds.shared.fixed import pins_of_networks
from stead.kinds.shared.interfaces import is_filtered, own_slots, with_port
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.name_servers import servers
from stead.kinds.shared.subnets import AddressSlot, Net
from stead.language.desired import Block, Desired


class InstanceInterface(NamedTuple):
    """An interface, without what differs between members."""

    key: str
    nic: Nic
    network: Block
    stands: tuple[AddressSlot, ...]
    mac: str  # names of leases
    leased: tuple[str, ...]
    made_from_mac: tuple[Net, ...]
    groups: tuple[Address, ...]
    routed: bool  # the default route goes through it

    def addresses(self, leases: Mapping[str, str]) -> list[str]:
        found = [leases[key] for key in self.leased]
        if self.made_from_mac:
            found += [subnets.slaac(net, leases[self.mac]) for net in self.made_from_mac]
        return found


_known = memoize_last(lambda _desired: dict[Block, tuple[InstanceInterface, ...]]())


def interfaces(block: Block, desired: Desired) -> tuple[InstanceInterface, ...]:
    known = _known(desired)
    if block not in known:
        known[block] = tuple(_seats(block, desired))
    return known[block]


def _seats(block: Block, desired: Desired) -> Iterator[InstanceInterface]:
    model: Instance = block.model
    routed = False
    keys = network_names.keys([nic.network for nic in model.networks], block.project)
    for key, written in zip(keys, model.networks, strict=True):
        nic = with_port(written, desired)
        network = subnets.network_block(nic.network, desired)
        if network is None:
            continue
        stands = own_slots(nic, network, desired)
        leads_on = any(stand.net.gateway is not None for stand in stands)
        leased = [stand for stand in stands if not stand.net.slaac or stand.fixed]
        yield InstanceInterface(
            key=key,
            nic=nic,
            network=network,
            stands=stands,
            mac=f"nics.{key}.mac",
            leased=tuple(f"nics.{key}.v{stand.net.version}" for stand in leased),
            made_from_mac=tuple(stand.net for stand in stands if stand.net.slaac and not stand.fixed),
            groups=_groups(block, nic, network),
            routed=leads_on and not routed,
        )
        routed = routed or leads_on


def _groups(block: Block, nic: Nic, network: Block) -> tuple[Address, ...]:
    if not is_filtered(nic, network):
        return ()
    model: Instance = block.model
    groups = nic.security_groups if nic.security_groups is not None else model.security_groups
    return (firewall.default_group(block.project),) if groups is None else groups


def implicit_refs(block: Block, desired: Desired) -> Iterator[Address]:
    """The default group, where it is written: interfaces that name no group are in it, and do not say so."""
    model: Instance = block.model
    group = firewall.default_group(block.project)
    if (
        model.security_groups is None
        and any(one.security_groups is None for one in model.networks)
        and desired.get(group)
    ):
        yield group


def needs(block: Block, desired: Desired) -> Sequence[Need]:
    model: Instance = block.model
    found = [Need("uuid", "uuid", Uuids(), model.domain)] if model.domain is not None else []
    for seat in interfaces(block, desired):
        if (port := seat.nic.port) is not None:
            found += [Need(key, "", Borrowed(port, key.rpartition(".")[2])) for key in (seat.mac, *seat.leased)]
            continue
        found.append(Need(seat.mac, "mac", Macs(), seat.nic.mac))
        leased = (stand for stand in seat.stands if not stand.net.slaac or stand.fixed)
        found += [subnets.need(f"nics.{seat.key}.v{stand.net.version}", seat.nic.network, stand) for stand in leased]
    macs = {seat.nic.network: seat.mac for seat in reversed(interfaces(block, desired))}
    return [*found, *dns_names.names(block, desired, macs)]


def ports(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    """What networks are told: who is at which address, where. Not of addresses that may move to somebody else."""
    model: Instance = block.model
    for seat in interfaces(block, world.desired):
        network, guarded = seat.nic.network, _guarded(seat)
        for member in members:
            leases = member.leases
            fact = {
                "addresses": seat.addresses(leases),
                **guarded,
                "host": member.host,
                "instance": member.address,
                "mac": leases[seat.mac],
                "name": model.hostname or member.address.label,
                "routed": seat.routed,
            }
            yield Contribution(network, "port", fact)


def memberships(block: Block, members: Sequence[Member], world: World) -> Iterator[Contribution]:
    """What security groups are told: the addresses of all members at once, since that is how they are used."""
    hosts = tuple({member.host for member in members})
    for seat in interfaces(block, world.desired):
        if not seat.groups:
            continue
        addresses = [address for member in members for address in seat.addresses(member.leases)]
        addresses += [one.address for one in seat.nic.allowed_addresses]
        fact = {"addresses": addresses, "driver": seat.network.model.driver, "hosts": hosts}
        for group in seat.groups:
            yield Contribution(group, firewall.MEMBER, fact)


def shared(block: Block, world: World, model_of_nics: str, bandwidth: int | None) -> dict[str, dict[str, Any]]:
    """What the interfaces of all members have in common."""
    found: dict[str, dict[str, Any]] = {}
    for position, seat in enumerate(interfaces(block, world.desired)):
        nic, network = seat.nic, seat.network
        leases = world.member(nic.network).leases
        described: dict[str, Any] = {
            **mark(network.model.driver),
            **_guarded(seat),
            "model": nic.model or model_of_nics,
            "mtu": underlay.mtu(network.model, world),
            "network": str(nic.network),
            "network_uuid": leases["uuid"],
            "position": position,
            "routed": seat.routed,
            "subnets": [_subnet(stand.net, network, leases) for stand in seat.stands],
        }
        limit = nic.bandwidth or bandwidth
        if limit is not None:
            described["bandwidth"] = limit
        found[seat.key] = described
    return found


def _guarded(seat: InstanceInterface) -> dict[str, Any]:
    """What an interface may send and be sent."""
    found: dict[str, Any] = {
        "filtered": is_filtered(seat.nic, seat.network),
        "groups": [str(group) for group in seat.groups],
    }
    if seat.nic.allowed_addresses:
        found["allowed"] = [
            {"address": one.address, **({"mac": one.mac} if one.mac else {})} for one in seat.nic.allowed_addresses
        ]
    return found


def _subnet(net: Net, network: Block, leases: Mapping[str, str]) -> dict[str, Any]:
    """What the guest has to know to use the subnet, told in its network configuration."""
    routes = network.model.subnets[net.name].routes
    found: dict[str, Any] = {"cidr": net.cidr, "dhcp": net.server is not None, "dns": servers(net, leases)}
    if net.gateway is not None:
        found["gateway"] = net.write(net.gateway)
    if routes:
        found["routes"] = [{"to": one.to, "via": one.via} for one in routes]
    if net.slaac:
        found["slaac"] = True
    return found


def pins(block: Block) -> Iterator[PinnedAddress]:
    model: Instance = block.model
    yield from pins_of_networks(model.networks)
    for nic in model.networks:
        for one in nic.allowed_addresses:
            yield PinnedAddress(nic.network, one.address, "networks", shared=True)
