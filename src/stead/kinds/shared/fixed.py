"""Addresses that users have asked for, by network: so that nobody else is given them, and no two have the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from ipaddress import ip_network

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.kinds.shared.memoize_last import memoize_last
from stead.kinds.shared.several import as_tuple
from stead.language.desired import Block, Desired


class PinnedAddress(NamedTuple):
    address: str
    block: Block
    path: str  # where in the block it is written


def _gather(desired: Desired) -> Mapping[Address, list[PinnedAddress]]:
    found: dict[Address, list[PinnedAddress]] = {}
    for block in desired.blocks:
        for network, claim in _claims(block):
            found.setdefault(network, []).append(claim)
    return found


def _claims(block: Block) -> Iterator[tuple[Address, PinnedAddress]]:
    model = block.model
    match block.kind:
        case "instances" | "routers":
            for at, joined in enumerate(model.networks):
                for address in as_tuple(joined.address):
                    yield joined.network, PinnedAddress(address, block, f"networks.{at}.address")
            if block.kind == "routers" and model.external is not None:
                for address in as_tuple(model.external.address):
                    yield model.external.network, PinnedAddress(address, block, "external.address")
        case "floating_ips":
            if model.address is not None:
                yield model.network, PinnedAddress(model.address, block, "address")


def _shared(desired: Desired) -> Mapping[Address, set[tuple[int, int]]]:
    found: dict[Address, set[tuple[int, int]]] = {}
    for block in desired.of_kind("instances"):
        for nic in block.model.networks:
            for one in nic.allowed_addresses:
                found.setdefault(nic.network, set()).update(_alone(one.address))
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
