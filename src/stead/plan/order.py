"""Puts changes in order: what must be before what, and in which wave.

A wave is one call per host, so it is cut only where an edge crosses hosts; inside a host the order of numbers holds.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType

from stead.blueprint.leases import OWN
from stead.blueprint.model import Blueprint
from stead.core.address import Address
from stead.core.diagnostics import Code, Diagnostic
from stead.core.effect import AS_IT_IS, Action
from stead.core.named import NamedTuple
from stead.core.recorded import Record
from stead.diff import Change
from stead.language.desired import Block
from stead.plan.following import Followers, Leaving, Locating, following, left

CYCLE = Code("STEAD-X001", "dependency cycle")


class Ordered(NamedTuple):
    """Changes in an order that holds, with what each waits for (by new position) and its wave."""

    changes: list[Change]
    after: list[tuple[int, ...]]
    waves: list[int]


def arrange(
    changes: Sequence[Change],
    blueprint: Blueprint,
    records: Mapping[Address, Record],
    lasting: frozenset[str] = frozenset(),
    locating: Locating = MappingProxyType({}),
    leaving: Leaving = MappingProxyType({}),
) -> tuple[Ordered, list[Diagnostic]]:
    """Of what waits for nothing, those of a higher priority come first. `lasting` are the kinds of what holds data and
    outlives its users, who come one after the other."""
    if first := blueprint.priorities:
        changes = sorted(changes, key=lambda change: -first.get(change.address, 0))
    edges = _Edges(changes, blueprint, records, following(changes, blueprint, locating))
    before = edges.all()
    for later, earlier in (*edges.handing_over(lasting), *left(changes, edges.breaks, leaving)):
        before[later].add(earlier)
    return sort(changes, before)


class _Edges:
    """Finds, for each change, the positions of those that must come first."""

    def __init__(
        self, changes: Sequence[Change], blueprint: Blueprint, records: Mapping[Address, Record], following: Followers
    ) -> None:
        self.changes, self.blueprint, self.records = changes, blueprint, records
        self.followers = following  # address -> positions of what comes after those who move
        self._late = frozenset(at for some in following.values() for at in some)
        self.makes: dict[Address, dict[str, int]] = {}  # address -> host -> position of what brings it about
        self.breaks: dict[Address, dict[str, int]] = {}
        self._tables: dict[Block, list[tuple[dict[str, int], tuple[int, ...]]]] = {}
        self.frees: dict[tuple[Address, str], int] = {}  # (address, host) -> position of what lets go of others
        for position, change in enumerate(changes):
            if change.frees:
                self.frees[change.address, change.host] = position
                continue
            if change.action in AS_IT_IS:
                continue
            table = self.breaks if change.action in (Action.DESTROY, Action.FORGET) else self.makes
            table.setdefault(change.address, {})[change.to or change.host] = position
        self.counted: dict[Address, list[Address]] = {}  # a reference to a counted block means all its members
        for address in self.makes:
            if address.key is not None:
                self.counted.setdefault(address.block, []).append(address)

    def all(self) -> list[set[int]]:
        before: list[set[int]] = [set() for _ in self.changes]
        for position, change in enumerate(self.changes):
            if change.frees:
                self._freeing(position, change, before)
            elif change.action in (Action.DESTROY, Action.FORGET):
                self._breaking(position, change, before)
            elif change.action not in AS_IT_IS:
                self._making(position, change, before[position])
                if change.address in self.records:
                    self._leaving_behind(position, change, before)
                if change.action is Action.MIGRATE:
                    before[position].update(self._moves_before(change.address))
                    for later in self._followers(change.address):
                        before[later].add(position)
        return before

    def _making(self, position: int, change: Change, first: set[int]) -> None:
        """After what it refers to, on its own host and where that lives; after what it replaces or takes over."""
        host, settled = change.to or change.host, self.blueprint.resources[change.address]
        tables = self._tables.get(settled.block)
        if tables is None:
            tables = self._tables[settled.block] = self._needs(settled.block)
        for places, homes in tables:
            here = places.get(host)
            if here is not None:
                first.add(here)
            first.update(homes)
        first.update(self._at_home(change))
        if position not in self._late:
            first -= self._late
        if self.breaks or self.blueprint.takes_over:
            first.update(self._gone_before(change))
        first.discard(position)

    def _at_home(self, change: Change) -> Iterator[int]:
        homes, mine = self.blueprint.resources[change.address].homes, self.makes[change.address]
        if homes and (change.to or change.host) not in homes:
            yield from (mine[home] for home in homes if home in mine)

    def _followers(self, address: Address) -> Iterator[int]:
        return (at for ref in self.blueprint.resources[address].block.refs for at in self.followers.get(ref, ()))

    def _moves_before(self, address: Address) -> Iterator[int]:
        """A migration waits for those of the wave before its own: they make its room."""
        for earlier, wave in pairwise(self.blueprint.move_waves):
            if address in wave:
                for moved in sorted(earlier):
                    yield from self.makes.get(moved, {}).values()

    def _needs(self, block: Block) -> list[tuple[dict[str, int], tuple[int, ...]]]:
        """For each resource that the block refers to: where it is made, and the makings that all others wait for."""
        found = []
        for ref in (*block.refs, *block.settings.depends_on):
            for address in (ref,) if ref in self.blueprint.resources else self.counted.get(ref, ()):
                places = self.makes.get(address)
                if places:
                    homes = self.blueprint.resources[address].homes
                    found.append((places, tuple([places[home] for home in homes if home in places])))
        return found

    def _gone_before(self, change: Change) -> Iterator[int]:
        for gone in self.blueprint.takes_over.get(change.address, ()):
            yield from self.breaks.get(gone, {}).values()
            yield from self.makes.get(gone, {}).values()  # that stays, and has another address from then on
        if self._makes_anew(change) and not self._overlaps(change):
            yield from self._predecessors(change)

    def _succeeds(self, change: Change, host: str) -> bool:
        """Whether what is made here takes the place of what goes there, and is not one copy of many beside another."""
        if host in self.makes[change.address]:
            return True
        record = self.records.get(change.address)
        copy = record is not None and host in record.wants and host != record.host
        return not copy and change.host == self.blueprint.resources[change.address].host

    def _makes_anew(self, change: Change) -> bool:
        return change.action is Action.CREATE and bool(self._predecessors(change))

    def _predecessors(self, change: Change) -> list[int]:
        """Where what it replaces goes. It may also leave one host and come to another, and stay what it is."""
        return [at for host, at in self.breaks.get(change.address, {}).items() if self._succeeds(change, host)]

    def _overlaps(self, change: Change) -> bool:
        """Both may stand at once, so the new one comes first: not on one host, where both would have one name, and not
        where the new one keeps an address or a number of the old one's.
        """
        settled, record = self.blueprint.resources[change.address], self.records.get(change.address)
        if not settled.block.settings.create_before_destroy or record is None:
            return False
        held = {(key, text) for key, text in record.leases.items() if key not in OWN}
        hosts = {self.changes[position].host for position in self._predecessors(change)}
        return held.isdisjoint(settled.leases.items()) and hosts.isdisjoint(settled.wants)

    def _breaking(self, position: int, change: Change, before: list[set[int]]) -> None:
        """Before what it refers to; and after its successor, where that comes first."""
        for ref in self._refs(change.address):
            for host, broken in self.breaks.get(ref, {}).items():
                if host == change.host or host in ("", self._home(ref)):
                    before[broken].add(position)
        for made in self.makes.get(change.address, {}).values():
            successor = self.changes[made]
            if successor.action is Action.CREATE and position in self._predecessors(successor):
                before[position].update([made] if self._overlaps(successor) else ())

    def _freeing(self, position: int, change: Change, before: list[set[int]]) -> None:
        """Before what it lets go of is gone; what it gets instead comes by its own change, which is after that."""
        for freed in change.frees:
            for broken in self.breaks.get(freed, {}).values():
                before[broken].add(position)
        for made in self.makes.get(change.address, {}).values():
            before[made].add(position)

    def _leaving_behind(self, position: int, change: Change, before: list[set[int]]) -> None:
        """What is no longer needed on a host goes after the change that ends the need: a migration, a detached port."""
        freeing = self.frees.get((change.address, change.host))
        freed = self.changes[freeing].frees if freeing is not None else frozenset()
        for ref in self._refs(change.address):
            gone = ref not in self.blueprint.resources  # from everywhere, also from a host that serves it to this one
            for host, broken in self.breaks.get(ref, {}).items():
                here = host == change.host != ""  # what is only recorded is on no host
                if ref not in freed and (gone or here) and host not in self.makes.get(ref, {}):
                    before[broken].add(position)

    def handing_over(self, lasting: frozenset[str]) -> Iterator[tuple[int, int]]:
        """Who gets what another had waits until that has let go of it: never two writers."""
        if not self.records:
            return  # nobody has anything yet
        lets_go: dict[Address, list[int]] = {}
        takes: list[tuple[int, Address]] = []
        uses: dict[Block, frozenset[Address]] = {}
        for position, change in enumerate(self.changes):
            if change.frees:
                continue
            settled = self.blueprint.resources.get(change.address)
            had = {one for one in self._refs(change.address) if one.kind in lasting}
            has: frozenset[Address] = frozenset()
            if settled is not None and change.want is not None:
                block = settled.block
                if block not in uses:
                    needed = (*block.refs, *block.settings.depends_on)
                    uses[block] = frozenset(one for one in needed if one.kind in lasting)
                has = uses[block]
            for one in had - has:
                lets_go.setdefault(one, []).append(position)
            takes += [(position, one) for one in sorted(has - had, key=str)]
        for position, one in takes:
            for earlier in lets_go.get(one, ()):
                if self.changes[earlier].address != self.changes[position].address:
                    yield position, earlier

    def _refs(self, address: Address) -> tuple[Address, ...]:
        record = self.records.get(address)
        return record.after if record is not None else ()

    def _home(self, address: Address) -> str:
        record = self.records.get(address)
        return record.host if record is not None else ""


Pairs = frozenset[tuple[int, int]] | set[tuple[int, int]]


def sort(
    changes: Sequence[Change], before: list[set[int]], apart: Pairs = frozenset(), loose: Pairs = frozenset()
) -> tuple[Ordered, list[Diagnostic]]:
    """Kahn's algorithm by levels; the order of the changes breaks ties, so the outcome is one.

    What is `apart`, (later, earlier), is in a later wave. Of those, what is `loose` waits for the end of the other and
    not for its success.
    """
    count = len(changes)
    waiting = [len(some) for some in before]
    followers: list[list[int]] = [[] for _ in range(count)]
    for position, some in enumerate(before):
        for earlier in some:
            followers[earlier].append(position)
    ranks: list[tuple[int, int]] = [(0, 0)] * count  # wave, and depth inside it
    # What moves is a matter of two hosts: all that is before or after it is in another wave.
    hosts = [f"{change.host} {at}" if change.to else change.host for at, change in enumerate(changes)]
    ready = [position for position in range(count) if not waiting[position]]
    done = 0
    while ready:
        done += len(ready)
        following: list[int] = []
        for position in ready:
            if before[position]:
                cut = {one for one in before[position] if (position, one) in apart} if apart else apart
                ranks[position] = _rank(hosts[position], before[position], hosts, ranks, cut)
            for later in followers[position]:
                waiting[later] -= 1
                if not waiting[later]:
                    following.append(later)
        following.sort()
        ready = following
    if done < count:
        return Ordered([], [], []), [_cycle(changes, before, waiting)]
    for later, earlier in loose:
        before[later].discard(earlier)
    return _renumber(changes, before, ranks), []


def _rank(
    host: str, before: set[int], hosts: list[str], ranks: list[tuple[int, int]], apart: Collection[object]
) -> tuple[int, int]:
    """A later wave than what is done on another host, or apart; a deeper place than what is done on this one."""
    wave = depth = 0
    for earlier in before:
        reached, below = ranks[earlier]
        # What is only recorded happens on the controller, in the wave of what it waits for.
        if earlier in apart or (hosts[earlier] != host and host and hosts[earlier]):
            reached, below = reached + 1, -1
        if reached > wave:
            wave, depth = reached, below + 1
        elif reached == wave and below >= depth:
            depth = below + 1
    return wave, depth


def _renumber(changes: Sequence[Change], before: list[set[int]], ranks: list[tuple[int, int]]) -> Ordered:
    """By wave, and inside a wave so that the order of numbers is one in which everything can be done."""
    order = sorted(range(len(changes)), key=ranks.__getitem__)
    number = [0] * len(order)
    for new, old in enumerate(order):
        number[old] = new
    return Ordered(
        [changes[old] for old in order],
        [tuple(sorted([number[one] for one in before[old]])) for old in order],
        [ranks[old][0] for old in order],
    )


def _cycle(changes: Sequence[Change], before: list[set[int]], waiting: list[int]) -> Diagnostic:
    """Walk backwards among what still waits: the walk must come round."""
    position = next(index for index, left in enumerate(waiting) if left)
    seen: list[int] = []
    while position not in seen:
        seen.append(position)
        position = min(one for one in before[position] if waiting[one])
    ring = [*seen[seen.index(position) :], position]
    text = " waits for ".join(f"{changes[one].action} {changes[one].address}" for one in ring)
    return CYCLE.at(None, f"{text}. Remove one of the references, or create_before_destroy where it is set.")
