"""In the DNS of which networks of the site's an instance is, by which names, and that one project has each of those."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from stead.core.address import Address
from stead.core.needs import Names, Need
from stead.kinds.instance.model import Instance
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.network_names import short
from stead.kinds.shared.subnets import nets_of, network_block
from stead.language.desired import Block, Desired


def labels(block: Block) -> Iterator[str]:
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


def names(block: Block, desired: Desired, macs: Mapping[Address, str]) -> Iterator[Need]:
    """Of whom only one project has the name: of each network of the site's in whose DNS it is. `macs` are leases of
    its interfaces, by network."""
    found: dict[Address, str] = {}
    for joined, mac in macs.items():
        for network in served(desired).get(joined, ()):
            found.setdefault(network, mac)
    for network, mac in sorted(found.items()):
        key = f"names.{short(network, block.project)}.dns"
        yield Need(key, f"the DNS of {network}", Names(mac), block.model.hostname or None)
