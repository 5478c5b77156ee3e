"""What an instance does beyond its project: pins in the site's networks, forged addresses, names in their DNS."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

from stead.core.kind import Reach
from stead.kinds.instance.dns_names import labels, served
from stead.kinds.instance.model import Instance, Nic
from stead.kinds.instance.nics import is_filtered
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import nets_of, network_block, pinned
from stead.language.desired import Block, Desired

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


def _names(block: Block, desired: Desired) -> Iterator[Reach]:
    networks = {one for nic in block.model.networks for one in served(desired).get(nic.network, ())}
    path = "hostname" if block.model.hostname else ""
    for name in sorted(set(labels(block)) & LOOKED_FOR) if networks else ():
        why = f"Others in {min(networks)} would find it as {name}, which programs look for by themselves"
        yield Reach("names", name, path, why)
