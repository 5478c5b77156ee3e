"""What an instance does beyond its project: pins in the site's networks, forged addresses, names in their DNS."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.kind import Reach
from stead.kinds.instance.model import Instance, Nic
from stead.kinds.instance.nics import is_filtered
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import nets_of, network_block, pinned
from stead.language.desired import Block, Desired

NAME_OF_ANOTHER = Code("STEAD-G008", "another project uses this DNS name in a shared network")

# Programs look for these by themselves, or people take them for the network's own.
LOOKED_FOR = frozenset(
    [
        "autoconfig",
        "autodiscover",
        "broadcasthost",
        "dhcp",
        "dns",
        "gateway",
        "gw",
        "isatap",
        "kerberos",
        "ldap",
        "localdomain",
        "localhost",
        "mail",
        "metadata",
        "ns",
        "ns1",
        "ns2",
        "ntp",
        "proxy",
        "router",
        "sip",
        "sipinternal",
        "smtp",
        "teredo",
        "time",
        "wpad",
    ]
)


def reaches(block: Block, desired: Desired) -> Iterator[Reach]:
    model: Instance = block.model
    for at, nic in enumerate(model.networks):
        path = f"networks.{at}"
        yield from pinned(nic.network, as_tuple(nic.address), block, f"{path}.address")
        foreign = nic.network.project != block.project
        if nic.mac is not None and foreign:
            yield Reach("macs", nic.mac, f"{path}.mac", f"It pins {nic.mac} in {nic.network}")
        yield from _forging(block, nic, path, desired)
    yield from _names(block, desired)


def _forging(block: Block, nic: Nic, path: str, desired: Desired) -> Iterator[Reach]:
    network = network_block(nic.network, desired)
    if nic.port_security is False or (network is not None and network.project_file and not is_filtered(nic, network)):
        why = "Without port security it may send with anybody's addresses"
        yield Reach("port_security_off", True, f"{path}.port_security", why)
    foreign = nic.network.project != block.project
    for at, one in enumerate(nic.allowed_addresses):
        here = f"{path}.allowed_addresses.{at}"
        if not _is_own(one.address, network if not foreign else None, desired):
            yield Reach("allowed_addresses", one.address, here, f"It would use {one.address} beside its own addresses")
        if foreign and one.mac is not None:
            yield Reach("macs", one.mac, here, f"It would use {one.mac} beside its own in {nic.network}")


def _is_own(text: str, network: Block | None, desired: Desired) -> bool:
    """In a subnet of the project's own network."""
    try:
        asked = ip_network(text)
    except ValueError:
        return True  # told elsewhere
    nets = nets_of(network, desired) if network is not None else ()
    first, last = int(asked.network_address), int(asked.broadcast_address)
    return any(net.version == asked.version and net.holds(first) and net.holds(last) for net in nets)


def _labels(block: Block) -> Iterator[str]:
    model: Instance = block.model
    if model.hostname:
        yield model.hostname
    else:
        yield from (member.label for member in block.members)


def _served(desired: Desired) -> Mapping[Address, frozenset[Address]]:
    """Network -> networks of the site's in whose DNS its names are: itself, and those that a router joins to it."""
    found: dict[Address, set[Address]] = {}
    for router in desired.of_kind("routers"):
        joined = {one.network for one in router.model.networks}
        shared = {one for one in joined if not one.project and _has_dns(one, desired)}
        for one in joined:
            found.setdefault(one, set()).update(shared)
    for block in desired.of_kind("networks"):
        for member in block.members if not block.project else ():
            if _has_dns(member, desired):
                found.setdefault(member, set()).add(member)
    return {network: frozenset(some) for network, some in found.items()}


def _has_dns(network: Address, desired: Desired) -> bool:
    block = network_block(network, desired)
    return block is not None and any(net.server is not None for net in nets_of(block, desired))


served = memoize_last(_served)


def _holders(desired: Desired) -> Mapping[tuple[Address, str], dict[str, Block]]:
    """(network of the site's, name) -> project -> who has the name there."""
    found: dict[tuple[Address, str], dict[str, Block]] = {}
    for block in desired.of_kind("instances"):
        networks = {one for nic in block.model.networks for one in served(desired).get(nic.network, ())}
        for name in _labels(block) if networks else ():
            for network in networks:
                found.setdefault((network, name), {}).setdefault(block.project, block)
    return found


holders = memoize_last(_holders)


def _names(block: Block, desired: Desired) -> Iterator[Reach]:
    networks = {one for nic in block.model.networks for one in served(desired).get(nic.network, ())}
    path = "hostname" if block.model.hostname else ""
    for name in sorted(set(_labels(block)) & LOOKED_FOR) if networks else ():
        why = f"Others in {min(networks)} would find it as {name}, which programs look for by themselves"
        yield Reach("names", name, path, why)


def taken_names(block: Block, desired: Desired) -> Iterator[Diagnostic]:
    """Names that others have already: site files before project files, then projects in the order of their names."""
    if not block.project_file:
        return
    networks = {one for nic in block.model.networks for one in served(desired).get(nic.network, ())}
    for name in _labels(block) if networks else ():
        for network in sorted(networks):
            others = holders(desired).get((network, name), {})
            first = min(others.values(), key=lambda one: (one.project_file, one.project), default=block)
            if first.project != block.project:
                text = (
                    f"An instance of project {first.project} already has the name {name} in the DNS of {network}. "
                    f"Choose another name for this one, such as `hostname: {block.project}-{name}`."
                )
                yield NAME_OF_ANOTHER.at(block.place("hostname"), text, address=str(block.members[0].block))
                return
