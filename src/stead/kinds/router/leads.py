"""Which networks a router leads out of, which addresses its users asked for, and what it needs of its host."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stead.core.address import Address
from stead.core.kind import HostNeeds, PinnedAddress
from stead.kinds.router.model import Router
from stead.kinds.shared.fixed import pins_of_networks
from stead.kinds.shared.interfaces import asked
from stead.kinds.shared.routing import RouterPath
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import as_router, nets_of, network_block
from stead.language.desired import Block, Desired


def leads(block: Block, desired: Desired) -> Iterator[tuple[Address, RouterPath]]:
    model: Router = block.model
    external = model.external.network if model.external is not None else None
    for joined in model.networks:
        network = network_block(joined.network, desired)
        stands = tuple(as_router(nets_of(network, desired), asked(joined, desired))) if network is not None else ()
        yield from ((joined.network, RouterPath(router, block, external, stands)) for router in block.members)


def pins(block: Block) -> Iterator[PinnedAddress]:
    model: Router = block.model
    yield from pins_of_networks(model.networks)
    if model.external is not None:
        for address in as_tuple(model.external.address):
            yield PinnedAddress(model.external.network, address, "external.address")


def host_needs(fields: Mapping[str, Any]) -> HostNeeds:
    """Its networks: of a router, all but the rules is a member's own."""
    networks = [*fields.get("interfaces", {})]
    if network := (fields.get("external") or {}).get("network"):
        networks.append(network)
    return HostNeeds(beside=tuple(networks))
