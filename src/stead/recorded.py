"""What Stead last applied and chose, as the store keeps it. The store reads and writes it; nothing here does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stead.address import Address
from stead.value import field, value
from stead.want import Want


@value
class Record:
    """One resource. It exists from the moment its first step begins until its last trace is gone."""

    address: Address
    leases: Mapping[str, str] = field(default_factory=dict)  # key -> value; "uuid" always
    host: str = ""  # where it was placed
    wants: Mapping[str, Want] = field(default_factory=dict)  # host -> what was applied there
    after: tuple[Address, ...] = ()  # what it refers to: they are destroyed after it
    protect: bool = False
    reason: str = ""  # why it is on its host: code and text


@value
class InFlight:
    """A step whose intent was journalled and whose end was not: the run was killed in between."""

    run: int
    step: int
    address: Address
    host: str
    action: str
    since: str


@value
class Recorded:
    serial: int = 0  # grows with every write; a plan remembers which it was made from
    site: str = ""  # the UUID this store was born with: salt of chosen identifiers, key of nothing
    resources: Mapping[Address, Record] = field(default_factory=lambda: MappingProxyType({}))
    in_flight: tuple[InFlight, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tokens: frozenset[str] = frozenset()  # of its runs: what a host says of another is not this store's work
    unheard: frozenset[str] = frozenset()  # hosts that did not answer when it was rebuilt from hosts

    def wants(self) -> dict[str, Want]:
        """What was applied anywhere, by digest."""
        return {want.digest: want for record in self.resources.values() for want in record.wants.values()}


NOTHING = Recorded()
