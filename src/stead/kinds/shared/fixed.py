"""Addresses that users have asked for, by network: so that nobody else is given them, and no two have the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from ipaddress import ip_network
from typing import Any

from stead.core.address import Address
from stead.core.kind import PinnedAddress
from stead.core.named import NamedTuple
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.several import as_tuple
from stead.language.desired import Block, Desired


class Pinned(NamedTuple):
    address: str
    block: Block
    path: str  # where in the block it is written


def _gather(desired: Desired) -> Mapping[Address, list[Pinned]]:
    found: dict[Address, list[Pinned]] = {}
    for block, one in _pins(desired):
        if not one.shared:
            found.setdefault(one.network, []).append(Pinned(one.address, block, one.path))
    return found


def _pins(desired: Desired) -> Iterator[tuple[Block, PinnedAddress]]:
    for block in desired.blocks:
        yield from ((block, one) for one in desired.kinds[block.kind].pins(block))


def _shared(desired: Desired) -> Mapping[Address, set[tuple[int, int]]]:
    found: dict[Address, set[tuple[int, int]]] = {}
    for _block, one in _pins(desired):
        if one.shared:
            found.setdefault(one.network, set()).update(_alone(one.address))
    return found


def _alone(text: str) -> Iterator[tuple[int, int]]:
    """An address by itself; of a CIDR of several, nobody means all."""
    try:
        network = ip_network(text)
    except ValueError:
        return  # told elsewhere
    if network.num_addresses == 1:
        yield network.version, int(network.network_address)


shared_addresses = memoize_last(_shared)
"""What interfaces may use beside their own, by network: version and number. None is given to anybody else."""

fixed_addresses = memoize_last(_gather)


def pins_of_networks(joined: Iterable[Any]) -> Iterator[PinnedAddress]:
    """Of the field `networks` that instances and routers have."""
    for at, one in enumerate(joined):
        for address in as_tuple(one.address):
            yield PinnedAddress(one.network, address, f"networks.{at}.address")
