"""Puts changes in order: what must be before what, and in which wave.

A wave is one call per host, so it is cut only where an edge crosses hosts; inside a host the order of numbers holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from stead.address import Address
from stead.blueprint.model import Blueprint
from stead.diagnostics import Code, Diagnostic
from stead.diff import Change
from stead.kind import Action
from stead.recorded import Record

CYCLE = Code("STEAD-X001", "steps wait for each other")


class Ordered(NamedTuple):
    """Changes in an order that holds, with what each waits for (by new position) and its wave."""

    changes: list[Change]
    after: list[tuple[int, ...]]
    waves: list[int]


def arrange(
    changes: Sequence[Change], blueprint: Blueprint, records: Mapping[Address, Record]
) -> tuple[Ordered, list[Diagnostic]]:
    before = _Edges(changes, blueprint, records).all()
    return _sorted(changes, before)


class _Edges:
    """Finds, for each change, the positions of those that must come first."""

    def __init__(self, changes: Sequence[Change], blueprint: Blueprint, records: Mapping[Address, Record]) -> None:
        self.changes, self.blueprint, self.records = changes, blueprint, records
        self.makes: dict[Address, dict[str, int]] = {}  # address -> host -> position of what brings it about
        self.breaks: dict[Address, dict[str, int]] = {}
        for position, change in enumerate(changes):
            table = self.breaks if change.action in (Action.DESTROY, Action.FORGET) else self.makes
            table.setdefault(change.address, {})[change.to or change.host] = position
        self.counted: dict[Address, list[Address]] = {}  # a reference to a counted block means all its members
        for address in self.makes:
            if address.key is not None:
                self.counted.setdefault(address.block, []).append(address)

    def all(self) -> list[set[int]]:
        before: list[set[int]] = [set() for _ in self.changes]
        for position, change in enumerate(self.changes):
            if change.action in (Action.DESTROY, Action.FORGET):
                self._breaking(position, change, before)
            else:
                before[position].update(self._making(position, change))
                self._leaving_behind(position, change, before)
        return before

    def _making(self, position: int, change: Change) -> Iterator[int]:
        """After what it refers to, on its own host and where that lives; after what it replaces or takes over."""
        host = change.to or change.host
        settled = self.blueprint.resources[change.address]
        if host not in settled.homes:
            mine = self.makes[change.address]
            yield from (mine[home] for home in settled.homes if home in mine and mine[home] != position)
        for ref in (*settled.block.refs, *settled.block.settings.depends_on):
            yield from self._made(ref, host)
        for gone in (change.address, *self.blueprint.takes_over.get(change.address, ())):
            for destroyed in self.breaks.get(gone, {}).values():
                if gone != change.address or (self._makes_anew(change) and not self._overlaps(change)):
                    yield destroyed

    def _made(self, ref: Address, host: str) -> Iterator[int]:
        for address in self._members(ref):
            places = self.makes.get(address)
            if not places:
                continue
            if host in places:
                yield places[host]
            for home in self.blueprint.resources[address].homes:
                if home != host and home in places:
                    yield places[home]

    def _members(self, ref: Address) -> Sequence[Address]:
        return (ref,) if ref in self.blueprint.resources else self.counted.get(ref, ())

    def _makes_anew(self, change: Change) -> bool:
        return change.action is Action.CREATE and change.address in self.breaks

    def _overlaps(self, change: Change) -> bool:
        """Both may stand at once, so the new one comes first."""
        return self.blueprint.resources[change.address].block.settings.create_before_destroy

    def _breaking(self, position: int, change: Change, before: list[set[int]]) -> None:
        """Before what it refers to; and after its successor, where that comes first."""
        for ref in self._refs(change.address):
            for host, broken in self.breaks.get(ref, {}).items():
                if host == change.host or host in ("", self._home(ref)):
                    before[broken].add(position)
        made = self.makes.get(change.address)
        settled = self.blueprint.resources.get(change.address)
        if made and settled is not None and settled.block.settings.create_before_destroy:
            before[position].update(at for at in made.values() if self.changes[at].action is Action.CREATE)

    def _leaving_behind(self, position: int, change: Change, before: list[set[int]]) -> None:
        """What is no longer needed on a host goes after the change that ends the need: a migration, a detached port."""
        for ref in self._refs(change.address):
            broken = self.breaks.get(ref, {}).get(change.host)
            if broken is not None and change.host not in self.makes.get(ref, {}):
                before[broken].add(position)

    def _refs(self, address: Address) -> tuple[Address, ...]:
        record = self.records.get(address)
        return record.after if record is not None else ()

    def _home(self, address: Address) -> str:
        record = self.records.get(address)
        return record.host if record is not None else ""


def _sorted(changes: Sequence[Change], before: list[set[int]]) -> tuple[Ordered, list[Diagnostic]]:
    """Longest path by waves; Kahn's algorithm with the given order as the tie-breaker, so the outcome is one."""
    count = len(changes)
    waiting = [len(some) for some in before]
    followers: list[list[int]] = [[] for _ in range(count)]
    for position, some in enumerate(before):
        for earlier in some:
            followers[earlier].append(position)
    waves = [0] * count
    ready = [position for position in range(count) if not waiting[position]]
    hosts = [change.host for change in changes]
    done = 0
    while ready:
        following: list[int] = []
        for position in ready:
            done += 1
            wave, host = waves[position], hosts[position]
            for later in followers[position]:
                # What is only recorded happens on the controller, in the wave of what it waits for.
                reached = wave if hosts[later] == host or not host or not hosts[later] else wave + 1
                waves[later] = max(waves[later], reached)
                waiting[later] -= 1
                if not waiting[later]:
                    following.append(later)
        ready = sorted(following)
    if done < count:
        return Ordered([], [], []), [_cycle(changes, before, waiting)]
    return _renumber(changes, before, waves), []


def _renumber(changes: Sequence[Change], before: list[set[int]], waves: list[int]) -> Ordered:
    """By wave, and inside a wave so that the order of numbers is one in which everything can be done."""
    depth = _depths(before, waves)
    order = sorted(range(len(changes)), key=lambda position: (waves[position], depth[position], position))
    number = [0] * len(order)
    for new, old in enumerate(order):
        number[old] = new
    return Ordered(
        [changes[old] for old in order],
        [tuple(sorted([number[one] for one in before[old]])) for old in order],
        [waves[old] for old in order],
    )


def _depths(before: list[set[int]], waves: list[int]) -> list[int]:
    """How many steps of the same wave come before, at the longest."""
    depth = [-1] * len(before)
    for start in range(len(before)):
        stack = [start] if depth[start] < 0 else []
        while stack:
            position = stack[-1]
            open_ones = [one for one in before[position] if depth[one] < 0]
            if open_ones:
                stack += open_ones
                continue
            same = [depth[one] for one in before[position] if waves[one] == waves[position]]
            depth[position] = 1 + max(same, default=-1)
            stack.pop()
    return depth


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
