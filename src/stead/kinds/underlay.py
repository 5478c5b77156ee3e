"""What carries networks between hosts, and what it leaves of a packet."""

from __future__ import annotations

from typing import Any

# Outer IPv4, UDP, tunnel header and the inner Ethernet header. Geneve's includes the 8 bytes of options OVN sends.
OVERHEAD = {"vxlan": 50, "geneve": 58, "vlan": 0, "flat": 0}


def largest(type_: str, underlay: int) -> int:
    return underlay - OVERHEAD[type_]


def mtu(network: Any, underlay: int) -> int:
    """Of the model of a network."""
    return int(network.mtu or largest(network.type, underlay))
