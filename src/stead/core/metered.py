"""What a resource takes of the site, as the store remembers it over time. Usage is computed from these."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from stead.core.address import Address
from stead.core.named import NamedTuple

NO_AMOUNTS: Mapping[str, int] = MappingProxyType({})


class MeterWord(NamedTuple):
    """Something that is metered."""

    help: str  # as the help of a field
    size: bool = False  # bytes


class Metered(NamedTuple):
    """What an address has from a moment on, until the next one of the same address. Without amounts: nothing."""

    address: Address
    uuid: str
    amounts: Mapping[str, int] = NO_AMOUNTS  # "vcpus", or with a detail "volumes:fast" -> how much
    at: float = 0.0  # the store's clock says, when it is written
