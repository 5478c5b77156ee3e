"""Which routers lead from which networks to which external ones."""

from __future__ import annotations

from collections.abc import Mapping

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.subnets import AddressSlot, Net
from stead.language.desired import Block, Desired


class RouterPath(NamedTuple):
    router: Address
    block: Block
    external: Address | None
    stands: tuple[AddressSlot, ...]  # in the network

    def reaches(self, net: Net) -> bool:
        return any(stand.net.name == net.name for stand in self.stands)

    def is_gateway(self, net: Net) -> bool:
        """Whom guests of the subnet hand their answers to."""
        return any(stand.net.name == net.name and stand.net.is_gateway(stand.fixed) for stand in self.stands)


def _ways(desired: Desired) -> Mapping[Address, list[RouterPath]]:
    found: dict[Address, list[RouterPath]] = {}
    for block in desired.blocks:
        for network, path in desired.kinds[block.kind].leads(block, desired):
            found.setdefault(network, []).append(path)
    return found


ways = memoize_last(_ways)
"""The routers of a network, in the order of their addresses."""
