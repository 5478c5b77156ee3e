"""What carries networks between hosts, and what it leaves of a packet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stead.core.kind import World
from stead.core.observed import Host
from stead.drivers.network import named
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.network_drivers import NetworkShape
from stead.language.desired import Desired

# Of Ethernet as it is everywhere: what a spec is checked with that says nothing of the underlay.
USUAL = 1500


def largest(network: NetworkShape, underlay: int) -> int:
    """What the network's driver leaves of it."""
    return underlay - named(network.driver).overhead[network.type]


def promised(desired: Desired) -> int:
    """What the spec alone says."""
    return desired.site.mtu or USUAL


def _least(hosts: Mapping[str, Host]) -> int:
    return min((host.mtu for host in hosts.values()), default=USUAL)


least = memoize_last(_least)


def mtu(network: Any, world: World) -> int:
    """Of the model of a network: never more than arrives on every host, where the spec does not promise it."""
    most = largest(network, world.desired.site.mtu or least(world.hosts))
    return min(int(network.mtu or most), most)
