"""What carries networks between hosts, and what it leaves of a packet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from stead.core.kind import World
from stead.core.observed import Host
from stead.kinds.shared.memoize_last import memoize_last
from stead.language.desired import Desired
from stead.site import abilities

# Outer IPv4, UDP, tunnel header and the inner Ethernet header.
OVERHEAD = {"vxlan": 50, "geneve": 58, "vlan": 0, "flat": 0}
# Of Ethernet as it is everywhere: what a spec is checked with that says nothing of the underlay.
USUAL = 1500
# What a host's kernel may be without, told as a trait by those that were asked.
MAY_LACK = frozenset({"vlan"})


def largest(type_: str, underlay: int) -> int:
    return underlay - OVERHEAD[type_]


def promised(desired: Desired) -> int:
    """What the spec alone says."""
    return desired.site.mtu or USUAL


def _least(hosts: Mapping[str, Host]) -> int:
    return min((host.mtu for host in hosts.values()), default=USUAL)


least = memoize_last(_least)


def mtu(network: Any, world: World) -> int:
    """Of the model of a network: never more than arrives on every host, where the spec does not promise it."""
    most = largest(network.type, world.desired.site.mtu or least(world.hosts))
    return min(int(network.mtu or most), most)


def lacks(networks: Iterable[Any]) -> frozenset[str]:
    """Traits that hosts of these networks, given as models, must not have."""
    found = set()
    for model in networks:
        found |= {f"without:{one}" for one in {model.type} & MAY_LACK}
        found |= {
            abilities.lacks(what, name)
            for what, name in ((abilities.NETWORK_TYPE, model.type), (abilities.NETWORK_DRIVER, model.driver))
            if not abilities.row(what, name).can
        }
    return frozenset(found)
