"""The last resort on small problems: every arrangement of what may move, so that nobody is left out in vain.

Decides for a unit that repair found no host for: either all that were placed and this one have one, or that is proven
to be impossible. Wishes do not count here. Must not move a member that sits. Work is a count of steps; a problem that
takes more of them is left undecided, as large ones are from the outset.
"""

from __future__ import annotations

from stead.blueprint.placement.model import Over
from stead.blueprint.placement.search.greedy import Search
from stead.blueprint.placement.search.proof import Prover
from stead.blueprint.placement.search.runs import Run

STEPS = 4_000  # units tried on a host, all in all: less than a tenth of a second
LARGE = 2_500  # units x hosts; beyond it the steps would hardly ever do

Unit = tuple[Run, int]


def exact(search: Search) -> None:
    left = [(run, i) for run in search.runs for i, h in enumerate(run.chosen) if h < 0]
    units = sum(len(run.units) for run in search.runs)
    if left and units * len(search.space.hosts) <= LARGE:
        _Exact(search).seat(left)


class _Exact:
    def __init__(self, search: Search) -> None:
        self.search = search
        self.state = search.state
        self.open_to = search.chooser.open_to
        self.steps = STEPS
        self.room: list[int] = []
        self.asked: list[list[int]] = []  # what all units from here on ask for
        # Where pools cut across classes, hosts that look alike may not be.
        self.alike = all(run.shape.pool.whole for run in search.runs)
        # Zones that a group settled on are not questioned, so nothing is proven about it.
        self.certain = not any(group.over is Over.ZONES for run in search.runs for group, _ in run.groups)

    def seat(self, left: list[Unit]) -> None:
        """Units of a run are alike: where one found nothing, the next will not."""
        failed: set[int] = set()
        prover = Prover(self.search)
        for run, i in left:
            if self.steps <= 0 or id(run) in failed:
                continue
            if not prover.hopeless(run) and self._arrange(run, i):
                prover.seated(run)
            else:
                failed.add(id(run))
                if self.steps > 0 and self.certain:
                    self.search.impossible.add(id(run))

    def _arrange(self, run: Run, i: int) -> bool:
        units = [(other, j) for other in self.search.runs for j, h in enumerate(other.chosen) if h >= 0]
        units.append((run, i))
        units.sort(key=lambda unit: (len(unit[0].shape.pool.hosts), -_size(unit[0]), unit[0].request.id, unit[1]))
        before = [other.chosen[j] for other, j in units]
        for other, j in units:
            self._set(other, j, -1)
        self._sum_up(units)
        if self._try(units, 0):
            return True
        for (other, j), h in zip(units, before, strict=True):
            self._set(other, j, h)
        return False

    def _sum_up(self, units: list[Unit]) -> None:
        free = self.state.free
        kinds = range(len(self.search.space.resources))
        self.room = [sum(max(0, row[k]) for row in free) for k in kinds]
        self.asked = [[0] * len(kinds)]
        for run, _ in reversed(units):
            row = list(self.asked[-1])
            for k, amount in run.shape.demand:
                row[k] += amount
            self.asked.append(row)
        self.asked.reverse()

    def _try(self, units: list[Unit], n: int) -> bool:
        if n == len(units):
            return True
        if any(asked > room for asked, room in zip(self.asked[n], self.room, strict=True)):
            return False
        run, i = units[n]
        first = 0
        if n and units[n - 1][0] is run:  # units of a run are interchangeable
            first = run.chosen[units[n - 1][1]]
        seen: set[object] = set()
        allowed = self.open_to(run)
        for h in [h for h in run.shape.pool.hosts if h >= first]:
            if not self.state.fits(h, run.shape.demand) or not allowed(h):
                continue
            like = self._like(h)
            if like in seen:
                continue
            seen.add(like)
            self.steps -= 1
            if self.steps <= 0:
                return False
            self._set(run, i, h)
            if self._try(units, n + 1):
                return True
            self._set(run, i, -1)
        return False

    def _like(self, h: int) -> object:
        """Hosts of one class with the same free and the same groups on them are as good as each other."""
        if not self.alike:
            return h
        tally = self.state.tally.hosts
        groups = tuple(sorted((name, counts[h]) for name, counts in tally.items() if counts.get(h)))
        return self.search.space.class_of[h], tuple(self.state.free[h]), groups

    def _set(self, run: Run, i: int, h: int) -> None:
        old = run.chosen[i]
        if old >= 0:
            self.search.take(run, old, -1)
        if h >= 0:
            self.search.take(run, h)
        for at, sign in ((old, 1), (h, -1)):
            if at >= 0 and self.room:
                for k, amount in run.shape.demand:
                    self.room[k] += sign * amount
        run.chosen[i] = h


def _size(run: Run) -> int:
    return sum(amount for _, amount in run.shape.demand)
