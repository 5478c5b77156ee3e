"""Make room for what was left out, by moving what was placed in this same search (ejection chains).

Decides only about units that found no host. Must not move a member that sits: an unchanged instance never moves.
Work is bounded by a count of steps, not by time, so that a slow machine gets the same answer as a fast one.
"""

from __future__ import annotations

from stead.blueprint.placement.improve.arrangement import Arrangement, size
from stead.blueprint.placement.search.greedy import Search
from stead.blueprint.placement.search.proof import Prover
from stead.blueprint.placement.search.runs import Run

DEPTH = 3  # units displaced one after the other for one that waits; beyond it hardly anything was ever gained
STEPS_EACH = 4_000  # for one unit; a step is about twenty microseconds
STEPS_ALL = 40_000
HOSTS_PER_STEP = 20
NEAREST = 40  # hosts tried per link of a chain, those with the least missing
VICTIMS = 6  # single units tried per host
MOST_VICTIMS = 4  # units displaced at once from one host


def repair(search: Search) -> None:
    """Units that have no host get one where displacing placed units, at most `DEPTH` in a row, makes that possible."""
    left = [run for run in search.runs if -1 in run.chosen]
    if left:
        _Repair(search).mend(left)


class _Repair:
    def __init__(self, search: Search) -> None:
        self.search = search
        self.state = search.state
        self.budget = 0
        self.now = Arrangement(search)

    def mend(self, left: list[Run]) -> None:
        prover = Prover(self.search)
        steps = STEPS_ALL
        for run in left:
            for i, h in enumerate(run.chosen):
                if h >= 0:
                    continue
                if steps <= 0 or prover.hopeless(run):
                    break
                self.budget = allowance = min(STEPS_EACH, steps)
                self.now.keep()
                done = self._seat(run, i, DEPTH, frozenset())
                steps -= allowance - self.budget
                if done:
                    prover.seated(run)
                else:
                    break  # the units of a run are alike: where one found nothing, the next will not

    def _seat(self, run: Run, i: int, depth: int, closed: frozenset[int]) -> bool:
        """Gives the unit a host outside `closed`, displacing others if it must. On failure all is as it was."""
        self.budget -= 1
        free = self.search.chooser.choose(run, None)  # a closed host may take it as long as nobody leaves for it
        if free is not None:
            self.now.move(run, i, free)
            return True
        if depth == 0:
            return False
        for h in self._nearest(run, closed):
            if self.budget <= 0:
                return False
            if self._displace(run, i, h, depth, closed | {h}):
                return True
        return False

    def _nearest(self, run: Run, closed: frozenset[int]) -> list[int]:
        """Hosts that hold something displaceable, those that miss least first."""
        pool, demand = run.shape.pool, run.shape.demand
        self.budget -= len(pool.hosts) // HOSTS_PER_STEP
        open_to = self.search.chooser.open_to(run)
        missing: list[tuple[float, int]] = []
        for h in pool.hosts:
            if h in self.now.on_host and h not in closed and open_to(h):
                free, cap = self.state.free[h], self.state.cap[h]
                if all(cap[k] >= amount for k, amount in demand):
                    missing.append((sum([max(0, amount - free[k]) / cap[k] for k, amount in demand]), h))
        missing.sort()
        return [h for _, h in missing[:NEAREST]]

    def _displace(self, run: Run, i: int, h: int, depth: int, closed: frozenset[int]) -> bool:
        for victims in self._victims(run, h):
            self.budget -= 1
            if self.budget <= 0:
                return False
            mark = self.now.mark
            for victim, j in victims:
                self.now.move(victim, j, -1)
            if self.state.fits(h, run.shape.demand) and self.search.chooser.open_to(run)(h):
                self.now.move(run, i, h)
                if all(self._seat(victim, j, depth - 1, closed) for victim, j in victims):
                    return True
            self.now.back(mark)
        return False

    def _victims(self, run: Run, h: int) -> list[list[tuple[Run, int]]]:
        """Sets of units whose leaving makes room: single ones, smallest first, then the fewest large ones."""
        free = self.state.free[h]
        lacking = [(k, amount - free[k]) for k, amount in run.shape.demand if amount > free[k]]
        seen: set[int] = set()
        others: list[tuple[Run, int]] = []
        for other, j in self.now.on_host[h]:
            if id(other) not in seen and (other.shape is not run.shape or other.groups != run.groups):
                seen.add(id(other))
                others.append((other, j))
        found = []
        for other, j in others:
            given = dict(other.shape.demand)
            if all(given.get(k, 0) >= lack for k, lack in lacking):
                found.append([(other, j)])
        found.sort(key=lambda one: (size(one[0][0]), one[0][0].request.id))
        several = self._several(run, h, lacking)
        return found[:VICTIMS] + ([several] if several else [])

    def _several(self, run: Run, h: int, lacking: list[tuple[int, int]]) -> list[tuple[Run, int]]:
        need = dict(lacking)
        picked: list[tuple[Run, int]] = []
        units = [pair for pair in self.now.on_host[h] if pair[0].shape is not run.shape]
        units.sort(key=lambda pair: (-size(pair[0]), pair[0].request.id, pair[1]))
        for other, j in units:
            if len(picked) == MOST_VICTIMS:
                return []
            given = dict(other.shape.demand)
            if any(given.get(k, 0) for k in need):
                picked.append((other, j))
                need = {k: lack - given.get(k, 0) for k, lack in need.items() if lack > given.get(k, 0)}
                if not need:
                    return picked if len(picked) > 1 else []
        return []
