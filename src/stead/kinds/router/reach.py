"""What a router does beyond its project: it has addresses in the site's networks, and may be their gateway."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.address import Address
from stead.core.kind import Reach
from stead.kinds.router import uplink
from stead.kinds.router.model import Router
from stead.kinds.shared.interfaces import asked
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import nets_of, network_block, pinned
from stead.language.desired import Block, Desired


def reaches(block: Block, desired: Desired) -> Iterator[Reach]:
    model: Router = block.model
    yield from uplink.reaches(block)
    if model.external is not None:
        yield from pinned(model.external.network, as_tuple(model.external.address), block, "external.address")
    for at, joined in enumerate(model.networks):
        if joined.network.project:
            continue
        yield from pinned(joined.network, as_tuple(joined.address), block, f"networks.{at}.address")
        if _is_gateway(joined.network, asked(joined, desired), desired):
            why = f"The router would be the gateway of {joined.network}"
            yield Reach("gateways", joined.network.name, f"networks.{at}", why)


def _is_gateway(network: Address, said: tuple[str, ...], desired: Desired) -> bool:
    block = network_block(network, desired)
    nets = nets_of(block, desired) if block is not None else ()
    return not said or any(net.is_gateway(one) for net in nets for one in said if (":" in one) == (net.version == 6))
