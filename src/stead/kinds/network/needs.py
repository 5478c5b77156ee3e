"""What a network asks to be chosen: its number on the wire, and the MAC of its own DHCP and DNS server.

The server's address is not asked for: it is the last of the pool that nobody wants, which has to be the same for
whoever looks, before and after addresses are chosen. That of a second server is: instances may have all others.
"""

from __future__ import annotations

from collections.abc import Sequence

from stead.core.needs import Demand, Macs, Need, Numbers, Standby
from stead.drivers.network import DHCP_HA
from stead.kinds.network.model import Network
from stead.kinds.shared import network_drivers, two_hosts, watched
from stead.kinds.shared.name_servers import second
from stead.kinds.shared.subnets import AddressSlot, need, nets_of
from stead.language.desired import Block, Desired

TUNNELS = frozenset({"vxlan", "geneve", "gre"})
SERVER_MAC = "server.mac"
SECOND_MAC = "second.mac"


def needs(block: Block, desired: Desired) -> Sequence[Need]:
    model: Network = block.model
    site = desired.site
    found = []
    if model.type in TUNNELS:
        fixed = None if model.vni is None else str(model.vni)
        found.append(Need("vni", wire_space("vni"), Numbers(site.vni_first, site.vni_last), fixed))
    elif model.type == "vlan":
        fixed = None if model.vlan is None else str(model.vlan)
        found.append(Need("vlan", wire_space("vlan", model.physical), Numbers(site.vlan_first, site.vlan_last), fixed))
    if is_served(block, desired):
        found.append(Need(SERVER_MAC, "mac", Macs()))
    if standby(block, desired) is not Standby.NONE:
        found += _second(block, desired)
    return found + watched.needs(block.members[0], desired)


def _second(block: Block, desired: Desired) -> list[Need]:
    """What the server on a second host has of its own. Where a full pool had room for none, there is none."""
    network, wanted = block.members[0], block.model.ha is True
    slots = [AddressSlot(net, None) for net in nets_of(block, desired) if net.server is not None]
    asked = [need(second(one.net), network, one) for one in slots]
    return [
        Need(SECOND_MAC, "mac", Macs(), second=True),
        *(one._replace(second=True, optional=not wanted) for one in asked),
    ]


def standby(block: Block, desired: Desired) -> Standby:
    """Of networks with a count, each would need addresses of its own."""
    model: Network = block.model
    if len(block.members) > 1 or not is_served(block, desired):
        return Standby.NONE
    return two_hosts.wish(model.ha, model.driver, DHCP_HA)


def wire_space(number: str, physical: str | None = None) -> str:
    """Within which a number tells networks apart."""
    return number if physical is None else f"{number}/{physical}"


def is_served(block: Block, desired: Desired) -> bool:
    """Whether it has a server of its own, and so a host of its own."""
    return any(net.server is not None for net in nets_of(block, desired))


def demand(block: Block, desired: Desired) -> Demand | None:
    model: Network = block.model
    if not is_served(block, desired) or network_drivers.has_no_host(model):
        return None
    return network_drivers.demand([model], model.host, standby(block, desired))


def usage(block: Block, _desired: Desired) -> dict[str, int]:
    return {"subnets": len(block.model.subnets)}
