"""What Stead last applied and chose, as the store keeps it. The store reads and writes it; nothing here does."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from stead.core.address import Address
from stead.core.named import NamedTuple
from stead.core.observed import Host, HostRecords
from stead.core.value import field, replace, value
from stead.core.want import Want


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


class KnownHost(NamedTuple):
    """What is known of a host when it does not answer, or is in the inventory no more."""

    host: Host  # as it was when it last answered an apply
    dead: str = ""  # by whom, and with what proof, it was called dead; until it answers again


def told_of_hosts(
    silence: HostRecords, known: Mapping[str, KnownHost], who: str, proofs: Mapping[str, str]
) -> dict[str, KnownHost | None]:
    """What is recorded of hosts from now on, where it is not what is recorded. `proofs` say more than who said it."""
    told: dict[str, KnownHost | None] = {
        name: None if host is None else KnownHost(host, known[name].dead if name in known else "")
        for name, host in silence.hosts.items()
    }
    words = {name: proofs.get(name, who) for name in silence.dead} | dict.fromkeys(silence.back, "")
    for name, dead in words.items():
        one = told.get(name) or known.get(name)
        if one is not None:
            told[name] = one._replace(dead=dead)
    return told


def dead_of(silence: HostRecords, known: Mapping[str, KnownHost]) -> tuple[str, ...]:
    """Hosts that count as dead, those of this plan's confirmation among them."""
    before = {name for name, one in known.items() if one.dead}
    return tuple(sorted((before - {*silence.back}) | {*silence.dead}))


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
    hosts: Mapping[str, KnownHost] = field(default_factory=lambda: MappingProxyType({}))
    documented: frozenset[str] = frozenset()  # projects of which the store has a document, or had it until they ended

    def wants(self) -> dict[str, Want]:
        """What was applied anywhere, by digest."""
        return {want.digest: want for record in self.resources.values() for want in record.wants.values()}


def with_reserved(recorded: Recorded, reserved: Mapping[Address, Record]) -> Recorded:
    """With what was promised for what no run has begun yet: it is given to nobody else."""
    more = {address: one for address, one in reserved.items() if address not in recorded.resources}
    return replace(recorded, resources={**recorded.resources, **more}) if more else recorded


NOTHING = Recorded()
