"""What a network of a project's does beyond the project: it uses the physical networks of the site."""

from __future__ import annotations

from collections.abc import Iterator

from stead.core.kind import Reach
from stead.kinds.network.model import Network
from stead.kinds.shared.network_drivers import WIRES
from stead.language.desired import Block, Desired


def reaches(block: Block, _desired: Desired) -> Iterator[Reach]:
    model: Network = block.model
    if model.type in WIRES:
        why = f"It is a {model.type} network on the site's physical network {model.physical or '(not said)'}"
        yield Reach("physical_networks", (model.physical or "NAME", model.type, model.vlan), "type", why)
