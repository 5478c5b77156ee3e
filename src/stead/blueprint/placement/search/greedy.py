"""Place everything that waits: runs in their order, each unit on the best host of the moment, then repair.

Decides the whole of a placement. Must not explain it (that is `explain`, on demand) and must not know how candidates
are kept. Every loop here goes over something sorted by a stable id: input order must not show.
"""

from __future__ import annotations

from stead.blueprint.placement.incumbents import Incumbents, incumbents
from stead.blueprint.placement.model import Overfull, Policy, Problem, Request
from stead.blueprint.placement.search.batch import share
from stead.blueprint.placement.search.candidates import Candidates
from stead.blueprint.placement.search.choose import Chooser, Queues
from stead.blueprint.placement.search.fill import WORTH_FILLING, fill, fillable
from stead.blueprint.placement.search.lp_relaxation import WORTH_SHARING, LpRelaxation, Part, lp_relaxation
from stead.blueprint.placement.search.runs import Run, cut, families, zone_bound
from stead.blueprint.placement.search.vector import Mirror
from stead.blueprint.placement.space import Shape, Space
from stead.blueprint.placement.state import SearchState

# numpy takes 130 ms to import and saves about a microsecond per host and queue built; below this it would not pay.
WORTH_NUMPY = 100_000


class Search:
    """A search over one problem. After `run`, `runs` hold what was chosen and `state` what is free."""

    def __init__(self, space: Space, incumbents: Incumbents, *, vectorised: bool | None = None) -> None:
        self.space = space
        self.incumbents = incumbents
        self.state: SearchState = incumbents.state
        self.runs = cut(space, self.state, incumbents.waiting)
        shapes = len({run.shape.number for run in self.runs})
        if vectorised is None:
            vectorised = shapes * len(space.hosts) > WORTH_NUMPY
        self.queues = Queues(self.state, Mirror(self.state) if vectorised else None)
        self.chooser = Chooser(self.queues, group_sizes(space.problem))
        self.impossible: set[int] = set()  # identities of runs: no arrangement has a place for one more of them
        self.filled: list[Run] = []  # what was placed host by host
        self.shares = LpRelaxation([], {}, 0.0)  # kept: the mirror knows lists of hosts by their identity

    def run(self) -> None:
        fillers = [run for run in self.runs if fillable(run)]
        if sum(len(run.units) for run in fillers) < WORTH_FILLING:
            fillers = []
        alike = [run for run in self.runs if even(run) and run.shape.pool.whole]
        if sum(len(run.units) for run in alike) < max(WORTH_SHARING, len(self.incumbents.kept)):
            alike = []
        later = {id(run) for run in (*fillers, *alike)}
        self._in_order([run for run in self.runs if id(run) not in later])
        if alike:
            self.shares = lp_relaxation(self.state, units_of(alike), hosts_of(alike), Policy.BALANCE)
            for number in dict.fromkeys(run.shape.number for run in alike):
                parts = self.shares.of.get(number, [])
                self._share([run for run in alike if run.shape.number == number], parts, self.shares.kinds)
        self.filled = fillers
        if fillers:
            fill(self, fillers)
        for run in fillers:
            self.place(run)

    def _in_order(self, runs: list[Run]) -> None:
        done: set[int] = set()
        bound = families([run for run in self.runs if _zone_bonds(run)], _zone_bonds)
        family_of = {id(run): family for family in bound for run in family}
        for run in runs:
            if id(run) in done:
                continue
            family = family_of.get(id(run))
            if family is None:
                self.place(run)
            else:
                self._place_family(family)
                done.update(id(member) for member in family)

    def _share(self, runs: list[Run], parts: list[Part], kinds: list[list[int]]) -> None:
        """Units of a shape to the kinds of hosts that were found for it, and where there is no room, where there is."""
        shape, mirror = runs[0].shape, self.queues.mirror
        chosen: list[int] = []
        if mirror is not None and parts:
            chosen = share(mirror, shape, [(kinds[kind], count) for kind, count in parts])
        else:
            for kind, count in parts:
                chosen += Candidates(self.state, shape, kinds[kind], None).fill(count)
        for run in runs:
            run.chosen = chosen[: len(run.units)]
            chosen = chosen[len(run.units) :]
        for run in runs:
            self.place(run)

    def left_out(self) -> int:
        return sum(run.chosen.count(-1) for run in self.runs)

    def chosen(self) -> list[list[int]]:
        return [list(run.chosen) for run in self.runs]

    def restore(self, chosen: list[list[int]]) -> None:
        for run, hosts in zip(self.runs, chosen, strict=True):
            self.clear(run)
            for h in hosts:
                if h >= 0:
                    self.take(run, h)
            run.chosen = hosts

    def refill(self) -> None:
        """What was filled host by host, unit by unit."""
        for run in self.filled:
            self.clear(run)
        for run in self.filled:
            self.place(run)

    def place(self, run: Run) -> None:
        """Completes `chosen`. Without groups the queue does it in one go; the result is the same, only sooner."""
        if not run.groups:
            run.chosen += self.queues.of(run.shape).fill(len(run.units) - len(run.chosen))
            run.chosen.extend([-1] * (len(run.units) - len(run.chosen)))
            return
        aside: list[tuple[Candidates, list[int]]] = []
        for _ in run.units[len(run.chosen) :]:
            found = self.chooser.choose(run, aside)
            if found is None:
                break
            self.take(run, found)
            run.chosen.append(found)
        for queue, keys in aside:
            queue.restore(keys)
        run.chosen.extend([-1] * (len(run.units) - len(run.chosen)))

    def take(self, run: Run, h: int, times: int = 1) -> None:
        self.state.take(h, run.shape.demand, times)
        if run.groups:
            self.state.tally.add(run.names, h, self.space.zone_of[h], times)

    def clear(self, run: Run) -> None:
        for h in run.chosen:
            if h >= 0:
                self.take(run, h, -1)
        run.chosen = []

    def _place_family(self, family: list[Run]) -> None:
        """Runs that must share a zone: the zone with most room for all of it, the next one when it does not fit."""
        names = {name for run in family for name in _zone_bonds(run)}
        zones = self._zones_for(family)
        best: tuple[int, str] | None = None
        for zone in zones:
            left = self._try_zone(family, names, zone)
            if not left:
                return
            if best is None or left < best[0]:
                best = (left, zone)
            for run in family:
                self.clear(run)
        if best is None:
            for run in family:
                run.chosen = [-1] * len(run.units)
        elif zones:
            self._try_zone(family, names, best[1])

    def _try_zone(self, family: list[Run], names: set[str], zone: str) -> int:
        self.chooser.homes.update(dict.fromkeys(names, zone))
        for run in family:
            self.place(run)
        return sum(run.chosen.count(-1) for run in family)

    def _zones_for(self, family: list[Run]) -> list[str]:
        settled = {
            min(counts, key=lambda zone: (-counts[zone], zone))
            for run in family
            for name in _zone_bonds(run)
            if (counts := self.state.tally.in_zone(name))
        }
        # Also zones that some of them cannot use: where none holds all, the one that holds most is chosen.
        zones = set.union(*(set(run.shape.pool.by_zone) for run in family))
        if settled:
            return sorted(zones & settled)[:1]
        return sorted(zones, key=lambda zone: (self._pressure(family, zone), zone))

    def _pressure(self, family: list[Run], zone: str) -> float:
        """What the family asks of a zone's free capacity, at the resource where that is most."""
        wanted: dict[int, int] = {}
        free: dict[int, int] = {}
        for run in family:
            for k, amount in run.shape.demand:
                wanted[k] = wanted.get(k, 0) + amount * len(run.units)
        hosts = {h for run in family for h in run.shape.pool.by_zone.get(zone, ())}
        for k in wanted:
            free[k] = sum(max(0, self.state.free[h][k]) for h in hosts)
        return max((wanted[k] / free[k] if free[k] else float("inf") for k in wanted), default=0.0)


def even(run: Run) -> bool:
    """Whether only evenness decides where its units go."""
    return run.shape.policy is Policy.BALANCE and not run.groups and not run.affinity_unit and not run.shape.pool.marked


def units_of(runs: list[Run]) -> dict[Shape, int]:
    units = dict.fromkeys((run.shape for run in runs), 0)
    for run in runs:
        units[run.shape] += len(run.units)
    return units


def hosts_of(runs: list[Run]) -> list[int]:
    """Those that any of them may go to, in order."""
    pools = {id(run.shape.pool): run.shape.pool for run in runs}
    return sorted(set().union(*(pool.hosts for pool in pools.values())))


def group_sizes(problem: Problem) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for request in problem.requests:
        for group in request.groups:
            sizes[group.name] = sizes.get(group.name, 0) + len(request.members)
    return sizes


def _zone_bonds(run: Run) -> list[str]:
    return [group.name for group, _ in run.groups if zone_bound(group)]


def members_of(run: Run, i: int) -> list[tuple[Request, str]]:
    """The members behind a unit: one, or the affinity unit that shares a host."""
    return list(run.affinity_unit) if run.affinity_unit else [(run.request, run.units[i])]


def start(problem: Problem, *, vectorised: bool | None = None) -> Search:
    space = Space(problem)
    return Search(space, incumbents(space), vectorised=vectorised)


def overfull(space: Space, state: SearchState) -> tuple[Overfull, ...]:
    return tuple(
        Overfull(space.names[h], space.resources[k], -amount)
        for h, free in enumerate(state.free)
        if min(free, default=0) < 0
        for k, amount in enumerate(free)
        if amount < 0
    )
