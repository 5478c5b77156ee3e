"""Why a run was left out, and whether it had to be.

Decides what may be called proven: only bounds that hold for every arrangement of what may move. Must not try
arrangements; when no bound applies the answer is "gave up", never a guess.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from stead.blueprint.placement.filters import Broken, broken
from stead.blueprint.placement.model import GroupKind, HostState, Over, PlacementGroup
from stead.blueprint.placement.search.greedy import Search
from stead.blueprint.placement.search.runs import Run
from stead.blueprint.placement.space import Pool, Shape


class Prover:
    """Bounds over what sitting members leave free; what this search placed is taken as movable."""

    def __init__(self, search: Search) -> None:
        self.search = search
        self.space = search.space
        self.open = [list(row) for row in search.state.free]
        for run in search.runs:
            for h in run.chosen:
                if h >= 0:
                    row = self.open[h]
                    for k, amount in run.shape.demand:
                        row[k] += amount
        self.masks: dict[int, int] = {}
        # Thousands of runs have a few dozen shapes between them: what is placed is counted by shape, and so is what
        # was found.
        self.placed: dict[int, int] = {}
        self.shapes: dict[int, Shape] = {}
        self.in_group: dict[str, list[tuple[Run, int]]] = {}
        for run in search.runs:
            number = run.shape.number
            self.shapes[number] = run.shape
            self.placed[number] = self.placed.get(number, 0) + len(run.chosen) - run.chosen.count(-1)
            for group, weight in run.groups:
                self.in_group.setdefault(group.name, []).append((run, weight))
        self.known: dict[int, tuple[bool, bool, str | None]] = {}

    def seated(self, run: Run) -> None:
        """One more unit of it has a host."""
        self.placed[run.shape.number] += 1
        self.known.clear()

    def hopeless(self, run: Run) -> bool:
        """No arrangement gives one more unit of this run a host while all others keep one."""
        holds, gone, short = self._bounds(run.shape)
        return not holds or gone or short is not None

    def _bounds(self, shape: Shape) -> tuple[bool, bool, str | None]:
        """Whether one host could hold a unit, whether every place is taken, and which resource is short."""
        found = self.known.get(shape.number)
        if found is None:
            found = self.known[shape.number] = (self._could_hold(shape), self._slots_gone(shape), self._short_of(shape))
        return found

    def why(self, run: Run) -> tuple[str, str, bool]:
        """Code, text and whether it is proven."""
        pool = run.shape.pool
        if not pool.hosts:
            return self._no_host(run)
        holds, gone, name = self._bounds(run.shape)
        if not holds:
            none = "none of" if len(pool.hosts) > 1 else "not even"
            return "capacity", f"{none} {_eligible(pool.hosts)} {self._lacking(run)}", True
        if name is not None:
            return "capacity", f"{name} is short on {_eligible(pool.hosts)} together", True
        if gone:
            return "capacity", f"every place on {_eligible(pool.hosts)} is taken", True
        code, text, proven = self._without_bound(run)
        return code, text, proven or id(run) in self.search.impossible

    def _lacking(self, run: Run) -> str:
        """What is too little on each of the hosts: at all, or free, or together."""
        demand, hosts = run.shape.demand, run.shape.pool.hosts
        names, usable = self.space.resources, self.space.usable
        whom = f"its {len(run.affinity_unit)} members together" if run.affinity_unit else "one"
        never = [names[k] for k, amount in demand if all(usable[h][k] < amount for h in hosts)]
        if never:
            return f"is large enough in {' and '.join(never)} for {whom}"
        short = [names[k] for k, amount in demand if all(self.open[h][k] < amount for h in hosts)]
        if short:
            return f"has enough {' and '.join(short)} free for {whom}"
        return f"has enough {' and '.join(names[k] for k, _ in demand)} free at once for {whom}"

    def _without_bound(self, run: Run) -> tuple[str, str, bool]:
        pool = run.shape.pool
        group, proven = self._group_full(run)
        if group:
            return "spread", f"the spread of {group} allows no more on {_eligible(pool.hosts)}", proven
        if run.affinity_unit:
            return "together", f"no host was found for its {len(run.affinity_unit)} members together", False
        return "capacity", f"no room was found on {_eligible(pool.hosts)}", False

    def _no_host(self, run: Run) -> tuple[str, str, bool]:
        """All hosts are struck out before capacity. Named is what strikes out the hosts that fail in fewest ways."""
        space = self.space
        if not space.hosts:
            return "state", "there is no host", True
        home = run.request.data_on.get(run.units[0], "")
        if closed := home and self._closed(run, home):
            return "data", f"its data is on {home}, which {closed}", True
        reasons: Counter[tuple[Broken, ...]] = Counter()
        for members in space.class_hosts:
            found = broken(space.hosts[members[0]], run.request, space.problem.filters)
            if found and space.hosts[members[0]].state is not HostState.LEAVING:  # it is the one to be left
                reasons[found] += len(members)
        if not reasons and run.affinity_unit:
            return "together", "no host may take all that must be together", True
        if not reasons:
            return "state", "there is no other host", True
        found, _ = min(reasons.items(), key=lambda item: (len(item[0]), -item[1], item[0]))
        told = " and ".join(map(str, found))
        return found[-1].stage, f"none of {len(space.hosts)} hosts is eligible; the nearest fail only {told}", True

    def _closed(self, run: Run, home: str) -> str:
        """Why the host that has its data may not take it, in words; empty when it may."""
        space = self.space
        if home not in space.index:
            return "is not in the inventory"
        found = broken(space.hosts[space.index[home]], run.request, space.problem.filters)
        if found and found[0].stage == "state":
            return "it is to leave" if found[0].value == HostState.LEAVING else f"is {found[0].value}"
        return f"fails {' and '.join(map(str, found))}" if found else ""

    def _could_hold(self, shape: Shape) -> bool:
        return any(all(self.open[h][k] >= amount for k, amount in shape.demand) for h in shape.pool.hosts)

    def _slots_gone(self, shape: Shape) -> bool:
        """Units that ask for at least as much, on at most these hosts, already take every place there can be."""
        demand = shape.demand
        if not demand:
            return False
        slots = 0
        for h in shape.pool.hosts:
            row = self.open[h]
            slots += max(0, min(row[k] // amount for k, amount in demand))
        placed = 0
        for number, other in self.shapes.items():
            asked = dict(other.demand)
            if all(asked.get(k, 0) >= amount for k, amount in demand) and self._inside(other.pool, shape.pool):
                placed += self.placed[number]
        return placed >= slots

    def _short_of(self, shape: Shape) -> str | None:
        """A resource of which the eligible hosts have less than what is confined to them takes, plus one more unit."""
        pool = shape.pool
        for k, amount in shape.demand:
            room = sum(max(0, self.open[h][k]) for h in pool.hosts)
            for number, other in self.shapes.items():
                asked = dict(other.demand).get(k, 0)
                if asked and self._inside(other.pool, pool):
                    room -= asked * self.placed[number]
            if room < amount:
                return self.space.resources[k]
        return None

    def _group_full(self, run: Run) -> tuple[str, bool]:
        """A hard spread over hosts with no host left; proven when its members have fewer places than they are."""
        demand = run.shape.demand
        roomy = [h for h in run.shape.pool.hosts if all(self.open[h][k] >= amount for k, amount in demand)]
        for group, weight in run.groups:
            if group.hard and group.kind is GroupKind.SPREAD and group.over is Over.HOSTS:
                counts, limit = self.search.state.tally.on_host(group.name), group.limit or 1
                if all(counts.get(h, 0) + weight > limit for h in roomy):
                    return group.name, self._too_many(run, group, roomy)
        return "", False

    def _too_many(self, run: Run, group: PlacementGroup, roomy: list[int]) -> bool:
        """Members confined to the same hosts, asking at least as much, outnumber what the group allows on those."""
        seated = dict(self.search.state.tally.on_host(group.name))
        asked, need = dict(run.shape.demand), 0
        for other, weight in self.in_group[group.name]:
            for h in other.chosen:
                if h >= 0:
                    seated[h] -= weight  # it was placed by this search and may be moved
            theirs = dict(other.shape.demand)
            as_large = all(theirs.get(k, 0) >= amount for k, amount in asked.items())
            if as_large and self._inside(other.shape.pool, run.shape.pool):
                need += weight * len(other.units)
        return need > sum(max(0, (group.limit or 1) - seated.get(h, 0)) for h in roomy)

    def _inside(self, inner: Pool, outer: Pool) -> bool:
        return inner is outer or not self._mask(inner) & ~self._mask(outer)

    def _mask(self, pool: Pool) -> int:
        found = self.masks.get(id(pool))
        if found is None:
            found = self.masks[id(pool)] = int.from_bytes(pool.has, "little")
        return found


def _eligible(hosts: Sequence[int]) -> str:
    return f"the {len(hosts)} eligible hosts" if len(hosts) > 1 else "the only eligible host"
