"""What an instance does beyond its project: pins in the site's networks, forged addresses, names in their DNS."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.kind import Reach
from stead.kinds.instance.dns_names import labels, served
from stead.kinds.instance.model import Instance
from stead.kinds.shared import interfaces
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
        yield from interfaces.reaches(block, f"networks.{at}", nic, desired)
    yield from _names(block, desired)


def _names(block: Block, desired: Desired) -> Iterator[Reach]:
    networks = {one for nic in block.model.networks for one in served(desired).get(nic.network, ())}
    path = "hostname" if block.model.hostname else ""
    for name in sorted(set(labels(block)) & LOOKED_FOR) if networks else ():
        why = f"Others in {min(networks)} would find it as {name}, which programs look for by themselves"
        yield Reach("names", name, path, why)
