"""What a floating IP does beyond its project: it takes the address that it asks for."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.kind import Reach
from stead.kinds.floating_ip.model import FloatingIp
from stead.kinds.shared.several import as_tuple
from stead.kinds.shared.subnets import pinned
from stead.language.desired import Block, Desired


def reaches(block: Block, _desired: Desired) -> Iterator[Reach]:
    model: FloatingIp = block.model
    yield from pinned(model.network, as_tuple(model.address), block, "address")
