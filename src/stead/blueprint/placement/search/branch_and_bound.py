"""Small problems once more: fewer hosts under `pack`, a lower fullest one under `balance`, host by host.

Decides for units that the policy alone places: how many of each kind a host gets, the most of the largest first. What a
host leaves free is waste, and all waste together cannot be more than what is free in all: the tighter the problem, the
fewer the arrangements that are left to try, so it finds what moving and swapping do not. Must not touch what sits, what
has groups or wishes, and large problems. Work is counted in steps, about two microseconds each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from stead.blueprint.placement.improve.consolidate import packed
from stead.blueprint.placement.search.greedy import Search, even
from stead.blueprint.placement.search.runs import Run

LARGE = 2_500  # units x hosts
HOSTS = 100  # as deep as the search goes
STEPS, STEPS_IN_ALL = 6_000, 12_000
NEAR_ENOUGH = 1.02  # times the least possible, as when moving and swapping

Unit = tuple[Run, int]
Rooms = dict[int, list[int]]  # what hosts have left for these units
Counts = dict[int, dict[int, int]]  # host -> kind -> units


class EqualUnits(NamedTuple):
    """Units that are alike, and what each asks of every resource."""

    demand: list[int]
    hosts: frozenset[int]
    units: list[Unit]


def branch_and_bound(search: Search) -> None:
    if any(-1 in run.chosen for run in search.runs):
        return
    for wanted, improve in ((_packed, _fewer), (even, _lower)):
        if sum(len(run.units) for run in search.runs if wanted(run)) > LARGE:
            continue
        kinds = _kinds(search, wanted)
        units = sum(len(kind.units) for kind in kinds)
        hosts = set().union(*(kind.hosts for kind in kinds)) if kinds else set()
        if units > 1 and len(hosts) <= HOSTS and units * len(hosts) <= LARGE:
            improve(search, kinds)


def _packed(run: Run) -> bool:
    return packed(run) and not run.groups


def _kinds(search: Search, wanted: Callable[[Run], bool]) -> list[EqualUnits]:
    found: dict[int, EqualUnits] = {}
    for run in sorted((run for run in search.runs if wanted(run)), key=lambda run: run.request.id):
        demand = [0] * len(search.space.resources)
        for k, amount in run.shape.demand:
            demand[k] = amount
        kind = found.setdefault(run.shape.number, EqualUnits(demand, frozenset(run.shape.pool.hosts), []))
        kind.units.extend((run, i) for i in range(len(run.units)))
    return list(found.values())


def _fewer(search: Search, kinds: list[EqualUnits]) -> None:
    """Closes the least filled host that can be closed, and again."""
    state, steps = search.state, STEPS_IN_ALL
    while steps > 0:
        rooms = _rooms(search, kinds)
        ours: dict[int, int] = {}
        for run, i in (unit for kind in kinds for unit in kind.units):
            ours[run.chosen[i]] = ours.get(run.chosen[i], 0) + 1
        closable = sorted((state.level[h], h) for h, count in ours.items() if count == state.count[h])
        for _, closed in closable:
            trial = _BranchAndBound(
                kinds, {h: room for h, room in rooms.items() if state.count[h] and h != closed}, steps
            )
            found = trial.solve()
            steps -= trial.used
            if found is not None:
                _seat(search, kinds, found)
                break
        else:
            return


def _lower(search: Search, kinds: list[EqualUnits]) -> None:
    """By two per cent, and again. Nobody gains when the others become less even for it, so that must not be."""
    state, steps = search.state, STEPS_IN_ALL
    units = [unit for kind in kinds for unit in kind.units]
    rooms, least = _rooms(search, kinds), _least(search, kinds)
    while steps > 0:
        level = max(state.level[run.chosen[i]] for run, i in units) / NEAR_ENOUGH
        if level < least:
            return
        trial = _BranchAndBound(kinds, _below(search, rooms, level), steps)
        found = trial.solve()
        steps -= trial.used
        if found is None:
            return
        before, unevenness = [run.chosen[i] for run, i in units], _unevenness(search)
        _seat(search, kinds, found)
        if _unevenness(search) > unevenness:
            for (run, i), h in zip(units, before, strict=True):
                _set(search, run, i, h)
            return


def _least(search: Search, kinds: list[EqualUnits]) -> float:
    """All that is on these hosts, shared out over them as if it were sand."""
    cap, free = search.state.cap, search.state.free
    hosts = sorted(set().union(*(kind.hosts for kind in kinds)))
    totals = {k: sum(cap[h][k] for h in hosts) for k in search.state.scored}
    # Where there is nothing at all, nothing is uneven.
    return max((1 - sum(free[h][k] for h in hosts) / total for k, total in totals.items() if total), default=1.0)


def _rooms(search: Search, kinds: list[EqualUnits]) -> Rooms:
    rooms = {h: list(search.state.free[h]) for kind in kinds for h in sorted(kind.hosts)}
    for kind in kinds:
        for run, i in kind.units:
            for k, amount in enumerate(kind.demand):
                rooms[run.chosen[i]][k] += amount
    return {h: [max(0, amount) for amount in room] for h, room in rooms.items()}


def _below(search: Search, rooms: Rooms, level: float) -> Rooms:
    """As much of each room as leaves the host at this level."""
    cap, scored = search.state.cap, search.space.is_scored
    return {
        h: [
            max(0, amount - (cap[h][k] - int(cap[h][k] * level))) if scored[k] else amount
            for k, amount in enumerate(room)
        ]
        for h, room in rooms.items()
    }


def _unevenness(search: Search) -> float:
    """Use squared times the size of the host, as in a rebalance."""
    state = search.state
    total = 0.0
    for cap, free in zip(state.cap, state.free, strict=True):
        for k in state.scored:
            if cap[k]:
                total += (cap[k] - free[k]) / cap[k] * (cap[k] - free[k]) / sum(row[k] for row in state.cap)
    return total


def _seat(search: Search, kinds: list[EqualUnits], found: Counts) -> None:
    for n, kind in enumerate(kinds):
        there = [h for h, counts in sorted(found.items()) for _ in range(counts.get(n, 0))]
        for (run, i), h in zip(kind.units, there, strict=True):
            _set(search, run, i, h)


def _set(search: Search, run: Run, i: int, h: int) -> None:
    search.take(run, run.chosen[i], -1)
    search.take(run, h)
    run.chosen[i] = h


class _BranchAndBound:
    """Counts of each kind for every host, or None when there are none or the steps ran out."""

    def __init__(self, kinds: list[EqualUnits], rooms: Rooms, steps: int) -> None:
        self.kinds = kinds
        self.rooms = rooms
        self.steps = min(steps, STEPS)
        self.used = 0
        self.left = [len(kind.units) for kind in kinds]
        resources = range(len(kinds[0].demand))
        self.total = [sum(room[k] for room in rooms.values()) for k in resources]
        asked = [sum(kind.demand[k] * len(kind.units) for kind in kinds) for k in resources]
        self.spare = [total - needed for total, needed in zip(self.total, asked, strict=True)]
        self.hosts = sorted(rooms, key=lambda h: (sum(h in kind.hosts for kind in kinds), self._share(rooms[h]), h))
        self.order = sorted(range(len(kinds)), key=lambda n: (len(kinds[n].hosts), -self._share(kinds[n].demand), n))
        self.last = [max((at for at, h in enumerate(self.hosts) if h in kind.hosts), default=-1) for kind in kinds]
        self.like_before = [
            at > 0 and self._like(h) == self._like(self.hosts[at - 1]) for at, h in enumerate(self.hosts)
        ]
        self.found: Counts = {}

    def _like(self, h: int) -> object:
        return self.rooms[h], [h in kind.hosts for kind in self.kinds]

    def _share(self, amounts: list[int]) -> float:
        return max((amount / total for amount, total in zip(amounts, self.total, strict=True) if total), default=0.0)

    def solve(self) -> Counts | None:
        possible = min(self.spare) >= 0 and min(self.last) >= 0
        return self.found if possible and self._fill(0, self.spare, ()) else None

    def _fill(self, at: int, spare: list[int], before: tuple[int, ...]) -> bool:
        """Of hosts that are alike, none gets more than the one before: the same the other way round is nothing new."""
        if at == len(self.hosts):
            return not any(self.left)
        h = self.hosts[at]
        for counts, waste in self._patterns(at, 0, self.rooms[h]):
            if self.used > self.steps:
                return False
            rest = [has - lost for has, lost in zip(spare, waste, strict=True)]
            key = tuple([counts.get(n, 0) for n in self.order])
            if min(rest) < 0 or (self.like_before[at] and key > before):
                continue
            self.found[h] = counts
            for n, count in counts.items():
                self.left[n] -= count
            if self._fill(at + 1, rest, key):
                return True
            for n, count in counts.items():
                self.left[n] += count
        return False

    def _patterns(self, at: int, nth: int, room: list[int]) -> Iterator[tuple[dict[int, int], list[int]]]:
        """What the host may get of the kinds from here on, most first; and what room that leaves."""
        self.used += 1
        if self.used > self.steps:
            return
        if nth == len(self.order):
            yield {}, room
            return
        n = self.order[nth]
        kind, left = self.kinds[n], self.left[n]
        if not left or self.hosts[at] not in kind.hosts:
            yield from self._patterns(at, nth + 1, room)
            return
        most = min([left, *(has // each for has, each in zip(room, kind.demand, strict=True) if each)])
        for count in range(most, left - 1 if self.last[n] == at else -1, -1):
            after = [has - count * each for has, each in zip(room, kind.demand, strict=True)]
            for counts, waste in self._patterns(at, nth + 1, after):
                yield {**counts, n: count} if count else counts, waste
