"""Which routers lead from which networks to which external ones."""

from __future__ import annotations

from collections.abc import Mapping

from stead.address import Address
from stead.desired import Block, Desired
from stead.kinds.latest import latest
from stead.named import NamedTuple


class Way(NamedTuple):
    router: Address
    block: Block
    external: Address | None


def _ways(desired: Desired) -> Mapping[Address, list[Way]]:
    found: dict[Address, list[Way]] = {}
    for block in desired.of_kind("routers"):
        external = block.model.external.network if block.model.external is not None else None
        for joined in block.model.networks:
            found.setdefault(joined.network, []).extend(Way(router, block, external) for router in block.members)
    return found


ways = latest(_ways)
"""The routers of a network, in the order of their addresses."""
