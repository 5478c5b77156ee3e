"""Empty the hosts that `pack` has filled least, by finding room for what they hold on hosts that stay in use.

Decides only about units that this search placed under `pack`: each goes where there is room, or one that is smaller
makes room for it and goes elsewhere. A host is emptied whole or left as it was. Must not open a host, nor move a member
that sits. Work is counted, not timed.
"""

from __future__ import annotations

from stead.blueprint.placement.improve.arrangement import Arrangement, size
from stead.blueprint.placement.model import Policy
from stead.blueprint.placement.search.greedy import Search
from stead.blueprint.placement.search.runs import Run

STEPS = 60_000  # about half a second: a step is some ten microseconds
HOSTS_PER_STEP = 20
FAILURES = 12  # hosts in a row that could not be emptied, after which fuller ones will not be either
NEAREST = 30  # hosts tried for making room, those with the least missing
VICTIMS = 6  # units tried on each


def consolidate(search: Search) -> None:
    if any(packed(run) for run in search.runs) and not any(-1 in run.chosen for run in search.runs):
        _Consolidation(search).walk()


def packed(run: Run) -> bool:
    """Whether only packing decides where its units go."""
    return run.shape.policy is Policy.PACK and not run.affinity_unit and not run.shape.pool.marked


class _Consolidation:
    def __init__(self, search: Search) -> None:
        self.search = search
        self.state = search.state
        self.steps = STEPS
        self.now = Arrangement(search, packed)

    def walk(self) -> None:
        """The least filled first."""
        count, level = self.state.count, self.state.level
        ours = sorted((level[h], h) for h, units in self.now.on_host.items() if len(units) == count[h])
        failures = 0
        for _, h in ours:
            if self.steps <= 0 or failures == FAILURES:
                return
            self.now.keep()
            if self._empty(h):
                failures = 0
            else:
                failures += 1
                self.now.back()

    def _empty(self, h: int) -> bool:
        units = sorted(self.now.on_host[h], key=lambda unit: (-size(unit[0]), unit[0].request.id, unit[1]))
        return all(self._seat(run, i, h) or self._displace(run, i, h) for run, i in units)

    def _seat(self, run: Run, i: int, closed: int) -> bool:
        self.steps -= 4
        old = run.chosen[i]
        mark = self.now.mark
        self.now.move(run, i, -1)
        found = self.search.chooser.choose(run, None, frozenset({closed, old}))
        if found is None or not self.state.count[found]:
            self.now.back(mark)
            return False
        self.now.move(run, i, found)
        return True

    def _displace(self, run: Run, i: int, h: int) -> bool:
        for target in self._nearest(run, h):
            for other, j in self._victims(run, target):
                if self.steps <= 0:
                    return False
                mark = self.now.mark
                if self._seat(other, j, h):
                    if self.state.fits(target, run.shape.demand) and self.search.chooser.open_to(run)(target):
                        self.now.move(run, i, target)
                        return True
                    self.now.back(mark)
        return False

    def _nearest(self, run: Run, h: int) -> list[int]:
        """Hosts in use that miss least for one more unit."""
        pool, demand, free, cap = run.shape.pool, run.shape.demand, self.state.free, self.state.cap
        self.steps -= len(pool.hosts) // HOSTS_PER_STEP
        open_to = self.search.chooser.open_to(run)
        missing: list[tuple[float, int]] = []
        for target in self.now.on_host:
            if pool.has[target] and target != h and self.now.on_host[target]:
                row, full = free[target], cap[target]
                missing.append((sum([max(0, amount - row[k]) / full[k] for k, amount in demand if full[k]]), target))
        missing.sort()
        return [target for _, target in missing[:NEAREST] if open_to(target)]

    def _victims(self, run: Run, target: int) -> list[tuple[Run, int]]:
        """Units whose leaving makes room, the smallest first: one of each shape."""
        free = self.state.free[target]
        lacking = [(k, amount - free[k]) for k, amount in run.shape.demand if amount > free[k]]
        shapes: dict[int, tuple[Run, int]] = {}
        for other, j in self.now.on_host[target]:
            given = dict(other.shape.demand)
            if size(other) < size(run) and all(given.get(k, 0) >= lack for k, lack in lacking):
                shapes.setdefault(other.shape.number, (other, j))
        found = sorted(shapes.values(), key=lambda unit: (size(unit[0]), unit[0].request.id))
        return found[:VICTIMS]
