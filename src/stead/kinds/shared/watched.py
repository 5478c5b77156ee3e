"""Where instances are looked at to see whether they are ready: on which interface, in which subnet, and from where.

Whoever looks stands in the guest's own subnet, at an address that the network keeps for that. Networks and instances
both ask here, so that they agree.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.address import Address
from stead.core.kind import Member
from stead.core.named import NamedTuple
from stead.core.needs import Macs, Need
from stead.kinds.shared.interfaces import own_slots, with_port
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.subnets import AddressSlot, Net, need, network_block
from stead.language.desired import Block, Desired

# What is seen through the network; the rest the guest's agent tells.
THROUGH_NETWORK = frozenset({"address", "ssh", "http"})
MAC = "look.mac"


class WatchedInterface(NamedTuple):
    """At members of a block."""

    at: int  # position of the interface
    network: Address
    net: Net


def watched_interface(block: Block, desired: Desired) -> WatchedInterface | None:
    """Through the network that the wait names, or the first in which it has an address."""
    wait = block.model.wait
    if wait is None or wait.for_ not in THROUGH_NETWORK:
        return None
    for at, nic in enumerate(block.model.networks):
        network = network_block(nic.network, desired)
        if network is None or len(network.members) > 1 or wait.network not in (None, nic.network):
            continue  # of a network with a count, each member would need an address of its own
        found = own_slots(with_port(nic, desired), network, desired)
        if found:
            return WatchedInterface(at, nic.network, found[0].net)
    return None


def _gather(desired: Desired) -> Mapping[Address, Mapping[str, Net]]:
    found: dict[Address, dict[str, Net]] = {}
    for block in desired.of_kind("instances"):
        if (one := watched_interface(block, desired)) is not None:
            found.setdefault(one.network, {})[one.net.name] = one.net
    return found


_watched = memoize_last(_gather)


def needs(network: Address, desired: Desired) -> list[Need]:
    """What a network is lent for it: an address in each subnet where somebody is looked at, and a MAC for all."""
    nets = _watched(desired).get(network, {})
    found = [need(f"look.{name}", network, AddressSlot(net, None)) for name, net in sorted(nets.items())]
    return [Need(MAC, "mac", Macs()), *found] if found else []


def source(network: Member, net: Net) -> dict[str, Any]:
    """Where whoever looks stands."""
    return {"address": net.sized(network.leases[f"look.{net.name}"]), "mac": network.leases[MAC]}
