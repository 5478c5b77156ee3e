"""Who stays where it sits and who must leave, with the reason: the sticky half of placement.

A member stays unless its host is gone, down, leaving, no longer eligible, or a hard group or its own growth forbids it.
Must not choose where those who leave go. Nothing here prefers a better host: that is `rebalance`, and only when asked.
"""

from __future__ import annotations

from collections.abc import Sequence

from stead.blueprint.placement.filters import broken
from stead.blueprint.placement.model import GroupKind, HostState, Over, PlacementGroup, Request
from stead.blueprint.placement.search.runs import binds, in_order, zone_bound
from stead.blueprint.placement.space import Space
from stead.blueprint.placement.state import Demand, SearchState
from stead.core.value import field, mutable

FORCED = {
    "state": "its host takes no work ({})",
    "gone": "its host is not in the inventory",
    "host": "it is asked to be on another host",
    "zone": "its host is in none of the zones asked for",
    "trait": "its host lacks {}",
    "feature": "its host lacks {}",
    "forbidden": "its host has {}, which is forbidden",
    "data": "its data is on another host",
    "resized": "it grew and its host is too full",
    "spread": "too many of its group were on one {}",
    "together": "its group shares one {}",
}
OTHER = "its host no longer meets {}"


@mutable
class Incumbents:
    """What the search starts from. `lost` are pinned members whose host is gone: they cannot stay and may not move."""

    state: SearchState
    waiting: list[tuple[Request, list[str]]] = field(default_factory=list)
    kept: dict[str, int] = field(default_factory=dict)
    forced: dict[str, tuple[str, str, str]] = field(default_factory=dict)  # member -> source, code, text
    lost: list[tuple[Request, str]] = field(default_factory=list)


def incumbents(space: Space) -> Incumbents:
    found = Incumbents(SearchState(space))
    requests = sorted(space.problem.requests, key=lambda request: request.id)
    if not space.problem.current:
        found.waiting = [(request, in_order(request.members)) for request in requests if request.members]
        return found
    leaving: dict[str, list[str]] = {}
    homes: list[tuple[Demand, list[int]]] = []
    for request in requests:
        leaving[request.id], at = _seat_one(space, found, request)
        homes.append((space.shape(request).demand, at))
    found.state.seat(homes)
    _Surplus(space, found, requests, leaving).leave()
    found.waiting = [(request, in_order(leaving[request.id])) for request in requests if leaving[request.id]]
    return found


def _seat_one(space: Space, found: Incumbents, request: Request) -> tuple[list[str], list[int]]:
    """Who must leave or is new, and the hosts of those that stay. Nearly all do, nearly always: asked at once."""
    members: Sequence[str] = request.members
    at = list(map(space.problem.current.get, members))
    leaving: list[str] = []
    if None in at:
        leaving = [member for member, name in zip(members, at, strict=True) if name is None]
        members = [member for member, name in zip(members, at, strict=True) if name is not None]
    named = [name for name in at if name is not None]
    homes = [h for h in map(space.index.get, named) if h is not None]
    has, data_on = space.pool(request).has, request.data_on
    apart = data_on and any(data_on.get(one, at) != at for one, at in zip(members, named, strict=True))
    if apart or len(homes) < len(named) or not all(map(has.__getitem__, homes)):
        members, homes = _those_that_may(space, found, request, members, leaving)
    found.kept.update(zip(members, homes, strict=True))
    names = [group.name for group in request.groups]
    for h in homes if names else ():
        found.state.tally.add(names, h, space.zone_of[h])
    return leaving, homes


def _those_that_may(
    space: Space, start: Incumbents, request: Request, members: Sequence[str], leaving: list[str]
) -> tuple[list[str], list[int]]:
    """One by one; the others are forced to leave, or lost."""
    current, pinned, data_on, has = (
        space.problem.current,
        space.problem.pinned,
        request.data_on,
        space.pool(request).has,
    )
    found: list[str] = []
    homes: list[int] = []
    for member in members:
        at = current[member]
        h = space.index.get(at, -1)
        if h >= 0 and (member in pinned or (data_on.get(member, at) == at and (has[h] or _keeps(space, request, h)))):
            found.append(member)
            homes.append(h)
        elif member in pinned:
            start.lost.append((request, member))
        else:
            start.forced[member] = (at, *_why(space, request, h))
            leaving.append(member)
    return found, homes


def _keeps(space: Space, request: Request, h: int) -> bool:
    """Maintenance alone takes nothing from a host: that is a drain, and only when asked."""
    found = broken(space.hosts[h], request, space.problem.filters)
    return space.hosts[h].state is HostState.MAINTENANCE and all(one.stage == "state" for one in found)


def _why(space: Space, request: Request, h: int) -> tuple[str, str]:
    if h < 0:
        return "gone", FORCED["gone"]
    found = broken(space.hosts[h], request, space.problem.filters)
    if not found:
        return "data", FORCED["data"]
    code, value = found[0]
    return code, FORCED.get(code, OTHER).format(value if code in FORCED else found[0])


class _Surplus:
    """Members that sit on an eligible host and still must leave: hard groups, and growth."""

    def __init__(self, space: Space, found: Incumbents, requests: list[Request], leaving: dict[str, list[str]]) -> None:
        self.space = space
        self.incumbents = found
        self.requests = requests
        self.leaving = leaving

    def leave(self) -> None:
        groups = {group.name: group for request in self.requests for group in request.groups if group.hard}
        for name in sorted(groups):
            self._regroup(groups[name])
        self._shrink()

    def _regroup(self, group: PlacementGroup) -> None:
        tally = self.incumbents.state.tally
        zones = group.over is Over.ZONES
        counts: dict[str, int] = (
            dict(tally.in_zone(group.name))
            if zones
            else {self.space.names[h]: count for h, count in tally.on_host(group.name).items()}
        )
        if group.kind is GroupKind.TOGETHER:
            home = min(counts, key=lambda at: (-counts[at], at)) if counts else ""
            surplus = {at: count for at, count in counts.items() if at != home}
        else:
            # Evenness over zones follows the number of zones; a zone added must not set members in motion.
            limit = group.limit or (len(self.space.problem.current) if zones else 1)
            surplus = {at: count - limit for at, count in counts.items() if count > limit}
        if surplus:
            self._expel(group, surplus)

    def _expel(self, group: PlacementGroup, surplus: dict[str, int]) -> None:
        """Those with the highest ids leave, pinned ones never: an id says nothing, but it says it every time."""
        zones = group.over is Over.ZONES
        inside = [request for request in self.requests if group in request.groups]
        sitting = {
            member: request for request in inside for member in request.members if member in self.incumbents.kept
        }
        for member in reversed(in_order(sitting)):
            h = self.incumbents.kept[member]
            at = self.space.zone_of[h] if zones else self.space.names[h]
            if surplus.get(at, 0) > 0 and member not in self.space.problem.pinned:
                surplus[at] -= 1
                self._unseat(sitting[member], member, group.kind.value, "zone" if zones else "host")

    def _unseat(self, request: Request, member: str, code: str, value: str) -> None:
        space, found = self.space, self.incumbents
        h = found.kept.pop(member)
        found.state.give(h, space.shape(request).demand)
        found.state.tally.add([group.name for group in request.groups], h, space.zone_of[h], -1)
        found.forced[member] = (space.names[h], code, FORCED[code].format(value))
        self.leaving[request.id].append(member)

    def _shrink(self) -> None:
        """Where a host is too full, members whose request changed leave, those that free most of it first."""
        state, problem = self.incumbents.state, self.space.problem
        short = {h for h, free in enumerate(state.free) if min(free, default=0) < 0}
        if not short or not problem.changed:
            return
        grown = [
            (request, member)
            for request in self.requests
            for member in request.members
            if member in problem.changed
            and member not in problem.pinned
            and self.incumbents.kept.get(member, -1) in short
        ]
        grown.sort(key=lambda pair: (-max(pair[0].demand.values(), default=0), len(pair[1]), pair[1]))
        for request, member in grown:
            free = state.free[self.incumbents.kept[member]]
            if any(free[k] < 0 for k, _ in self.space.shape(request).demand):
                self._unseat(request, member, "resized", "")


def home_zone(state: SearchState, group: PlacementGroup) -> str | None:
    counts = state.tally.in_zone(group.name)
    return min(counts, key=lambda zone: (-counts[zone], zone)) if counts and zone_bound(group) else None


__all__ = ["Incumbents", "binds", "home_zone", "incumbents"]
