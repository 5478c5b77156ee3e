"""Whom guests of a network ask for names: its own server, the second of it on another host, or those of the user."""

from __future__ import annotations

from collections.abc import Mapping

from stead.kinds.shared.subnets import Net


def second(net: Net) -> str:
    """The lease of the second server's address in a subnet."""
    return f"second.addresses.{net.name}"


def servers(net: Net, leases: Mapping[str, str]) -> list[str]:
    """The network's own servers ask the user's for what they do not know. `leases` are the network's."""
    if net.server is None:
        return list(net.dns)
    return [net.write(net.server), *([leases[second(net)]] if second(net) in leases else [])]
