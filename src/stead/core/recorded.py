"""What Stead last applied and chose, as the store keeps it. Only the store reads and writes it."""

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
    """One resource. It is recorded from the start of its first step until nothing of it is left."""

    address: Address
    leases: Mapping[str, str] = field(default_factory=dict)  # key -> value; "uuid" always
    host: str = ""  # where it was placed
    wants: Mapping[str, Want] = field(default_factory=dict)  # host -> what was applied there
    after: tuple[Address, ...] = ()  # resources that it refers to: they are destroyed after it
    protect: bool = False
    reason: str = ""  # why it is on its host: code and text


class KnownHost(NamedTuple):
    """What is known of a host beside what it reports itself, also when it does not answer or left the inventory."""

    host: Host  # as it was when it last answered an apply
    dead: str = ""  # who declared it dead, with which proof; until it answers again
    drained: str = ""  # who drained it; until it is restored, it gets nothing
    displaced: tuple[str, ...] = ()  # UUIDs of what was moved away for that, and comes back with `restore`


def told_of_hosts(
    silence: HostRecords, known: Mapping[str, KnownHost], who: str, proofs: Mapping[str, str]
) -> dict[str, KnownHost | None]:
    """Changes to what is recorded of hosts. `proofs` has the proof of a death, and not only who confirmed it."""
    told: dict[str, KnownHost | None] = {
        name: None if host is None else known[name]._replace(host=host) if name in known else KnownHost(host)
        for name, host in silence.hosts.items()
    }
    words = {name: proofs.get(name, who) for name in silence.dead} | dict.fromkeys(silence.back, "")
    for name, dead in words.items():
        one = told.get(name) or known.get(name)
        if one is not None:
            told[name] = one._replace(dead=dead)
    for name in (*silence.drained, *silence.restored):
        one = told.get(name) or known.get(name)
        if one is not None:
            told[name] = _marked(one, who, silence.drained.get(name))
    return told


def _marked(one: KnownHost, who: str, moved: tuple[str, ...] | None) -> KnownHost:
    """What did not come home with a restore may come with the next; a new drain begins anew."""
    if moved is None:
        return one._replace(drained="")
    before = one.displaced if one.drained else ()
    return one._replace(drained=one.drained or who, displaced=tuple(sorted({*before, *moved})))


def dead_of(silence: HostRecords, known: Mapping[str, KnownHost]) -> tuple[str, ...]:
    """Hosts that count as dead, including those that this plan confirms."""
    before = {name for name, one in known.items() if one.dead}
    return tuple(sorted((before - {*silence.back}) | {*silence.dead}))


@value
class InFlight:
    """A step with an intent but no outcome in the journal: the run was killed in between."""

    run: int
    step: int
    address: Address
    host: str
    action: str
    since: str


@value
class Recorded:
    serial: int = 0  # grows with every write; a plan remembers which it was made from
    site: str = ""  # the UUID of the store since its creation: a salt for chosen identifiers, not a key
    resources: Mapping[Address, Record] = field(default_factory=lambda: MappingProxyType({}))
    in_flight: tuple[InFlight, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    tokens: frozenset[str] = frozenset()  # of its runs: another token on a host is from another store
    unheard: frozenset[str] = frozenset()  # hosts that did not answer when it was rebuilt from hosts
    hosts: Mapping[str, KnownHost] = field(default_factory=lambda: MappingProxyType({}))
    documented: frozenset[str] = frozenset()  # projects whose document the store has, or had until they ended

    def wants(self) -> dict[str, Want]:
        """All applied wants, by digest."""
        return {want.digest: want for record in self.resources.values() for want in record.wants.values()}


class Promise(NamedTuple):
    """Leases that no run has recorded yet, and the recorded ones that some of them come instead of."""

    record: Record
    instead: Mapping[str, str]


UNTIL_THEN = " until then"  # behind the key of a lease that is still on its host, and is to be another


def with_reserved(recorded: Recorded, reserved: Mapping[Address, Promise]) -> Recorded:
    """With leases that were promised and that no run has recorded yet, so that they are not given out again."""
    more = dict[Address, Record]()
    for address, promise in reserved.items():
        made, promised = recorded.resources.get(address), promise.record.leases
        if made is None:
            more[address] = promise.record
            continue
        changed = {key: promised[key] for key, old in promise.instead.items() if made.leases.get(key) == old}
        there = {f"{key}{UNTIL_THEN}": made.leases[key] for key in changed}
        if changed or not promised.keys() <= made.leases.keys():
            more[address] = replace(made, leases={**promised, **made.leases, **changed, **there})
    return replace(recorded, resources={**recorded.resources, **more}) if more else recorded


NOTHING = Recorded()
