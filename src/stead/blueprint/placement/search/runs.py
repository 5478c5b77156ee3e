"""Requests cut into runs: units of one shape and one set of groups that are placed one after the other.

Decides what is one unit (members bound together by a hard group over hosts are one, with their demands added) and in
which order runs are placed: scarce hosts first, then large before small. Must not place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from stead.blueprint.placement.model import GroupKind, Over, PlacementGroup, Request
from stead.blueprint.placement.space import SCALE, Pool, Shape, Space
from stead.blueprint.placement.state import SearchState
from stead.core.value import field, mutable

T = TypeVar("T")


@mutable
class Run:
    """`units` holds one id per unit; `affinity_unit` the members that must share a host, if they are the only unit."""

    request: Request
    shape: Shape
    units: list[str]
    groups: tuple[tuple[PlacementGroup, int], ...] = ()  # with how many members of it a unit brings
    affinity_unit: tuple[tuple[Request, str], ...] = ()
    chosen: list[int] = field(default_factory=list)  # host of each unit, -1 where none was found

    @property
    def names(self) -> list[str]:
        """The groups, once for every member that a unit brings: what a tally counts."""
        return [group.name for group, weight in self.groups for _ in range(weight)]


def in_order(members: Iterable[str]) -> list[str]:
    """web[2] before web[10]: by length, then by text, which is cheap and needs no parsing."""
    ordered = sorted(members)
    ordered.sort(key=len)
    return ordered


def binds(group: PlacementGroup) -> bool:
    """Members of such a group share one host or none."""
    return group.hard and group.kind is GroupKind.TOGETHER and group.over is Over.HOSTS


def zone_bound(group: PlacementGroup) -> bool:
    return group.hard and group.kind is GroupKind.TOGETHER and group.over is Over.ZONES


def cut(space: Space, state: SearchState, waiting: list[tuple[Request, list[str]]]) -> list[Run]:
    """Runs in the order in which they are to be placed."""
    runs: list[Run] = []
    bound: list[tuple[Request, list[str]]] = []
    for request, members in waiting:
        if any(binds(group) for group in request.groups):
            bound.append((request, members))
        else:
            runs.extend(_plain(space, request, members))
    runs.extend(_affinity_unit(space, state, family) for family in families(bound, lambda pair: _bonds(pair[0])))
    if len(runs) < 2:
        return runs
    rank = _Rank(space)
    runs.sort(key=lambda run: (rank(run.shape), not run.groups, run.request.id, run.units[0]))
    return runs


def _plain(space: Space, request: Request, members: list[str]) -> list[Run]:
    shape = space.shape(request)
    groups = tuple((group, 1) for group in request.groups)
    if not request.data_on:
        return [Run(request, shape, members, groups)]
    runs = []
    free = [member for member in members if member not in request.data_on]
    if free:
        runs.append(Run(request, shape, free, groups))
    for member in members:
        if member in request.data_on:
            pool = at_data(space, shape.pool, request.data_on[member])
            runs.append(Run(request, space.shape_of(shape.demand, pool, shape.policy), [member], groups))
    return runs


def at_data(space: Space, pool: Pool, host: str) -> Pool:
    return space.narrowed(pool, [space.index[host]] if host in space.index else [])


def _bonds(request: Request) -> list[str]:
    return [group.name for group in request.groups if binds(group)]


def _affinity_unit(space: Space, state: SearchState, family: list[tuple[Request, list[str]]]) -> Run:
    """One unit of all members that must share a host; where some sit already, that is the host."""
    first = family[0][0]
    unit = tuple((request, member) for request, members in family for member in members)
    pool = space.pool(first)
    hosts = pool.hosts
    total: dict[int, int] = {}
    weights: dict[str, int] = {}
    groups = {group.name: group for request, _ in family for group in request.groups}
    for request, members in family:
        other = space.pool(request)
        homes = [space.index.get(at, -1) for member, at in request.data_on.items() if member in set(members)]
        hosts = [h for h in hosts if other.has[h] and all(h == home for home in homes)]
        for k, amount in space.shape(request).demand:
            total[k] = total.get(k, 0) + amount * len(members)
        for group in request.groups:
            weights[group.name] = weights.get(group.name, 0) + len(members)
    for name in sorted(groups):
        if binds(groups[name]) and (seats := state.tally.on_host(name)):
            home = min(seats, key=lambda h: (-seats[h], h))
            hosts = [h for h in hosts if h == home]
    shape = space.shape_of(tuple(sorted(total.items())), space.narrowed(pool, hosts), space.policy(first))
    together = tuple((groups[name], weights[name]) for name in sorted(groups))
    return Run(first, shape, [unit[0][1]], together, unit)


def families(items: list[T], bonds: Callable[[T], list[str]]) -> list[list[T]]:
    """Items connected by shared names, each family and the list of them in the order of the items."""
    home: dict[str, int] = {}
    found: list[list[T]] = []
    for item in items:
        names = bonds(item)
        joined = sorted({home[name] for name in names if name in home})
        target = joined[0] if joined else len(found)
        if not joined:
            found.append([])
        for other in joined[1:]:
            found[target].extend(found[other])
            found[other] = []
            home.update({name: target for name, at in home.items() if at == other})
        found[target].append(item)
        home.update(dict.fromkeys(names, target))
    return [family for family in found if family]


class _Rank:
    """Scarce pools first, in steps of a factor of two so that size still counts between similar ones; then large."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.known: dict[int, tuple[int, int, int]] = {}
        self._totals: dict[tuple[int, int], int] = {}
        self._sums: dict[tuple[int, int], int] = {}

    def __call__(self, shape: Shape) -> tuple[int, int, int]:
        found = self.known.get(shape.number)
        if found is None:
            scarcity = (len(self.space.hosts) // max(1, len(shape.pool.hosts))).bit_length()
            found = self.known[shape.number] = (-scarcity, -self.size(shape), shape.number)
        return found

    def size(self, shape: Shape) -> int:
        """The largest part of an average host that a unit takes, in millionths."""
        hosts = shape.pool.hosts
        largest = 0
        for k, amount in shape.demand:
            total = self._total(shape.pool, k)
            largest = max(largest, amount * len(hosts) * SCALE // total if total else 0)
        return largest

    def _total(self, pool: Pool, k: int) -> int:
        key = (id(pool), k)
        found = self._totals.get(key)
        if found is None:
            members, usable = self.space.class_hosts, self.space.usable
            if not pool.whole:
                found = sum([usable[h][k] for h in pool.hosts])
            else:
                found = sum([self._of_class(c, k) for c, hosts in enumerate(members) if pool.has[hosts[0]]])
            self._totals[key] = found
        return found

    def _of_class(self, c: int, k: int) -> int:
        found = self._sums.get((c, k))
        if found is None:
            usable = self.space.usable
            found = self._sums[c, k] = sum([usable[h][k] for h in self.space.class_hosts[c]])
        return found
